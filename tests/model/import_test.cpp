// The ncnn importer on good and bad files. What it is given is untrusted: every message names file and layer.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "millstream/error.h"
#include "model/network.h"

namespace millstream {
namespace {

// A x2 network of one layer of weights: 3x3 convolution 3 -> 12, pixel shuffle.
constexpr const char* kParam =
    "7767517\n3 3\n"
    "Input input 0 1 data\n"
    "Convolution body 1 1 data wide 0=12 1=3 4=1 5=1 6=324\n"
    "PixelShuffle shuffle 1 1 wide output 0=2\n";
constexpr std::size_t kWeights = 324;
constexpr std::size_t kBias = 12;

std::string weight_bytes(std::size_t weights, std::size_t bias) {
    std::string bytes(4, '\0');   // tag 0: plain floats
    for (std::size_t i = 0; i < weights + bias; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(i % 7) * 0.01F);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            bytes.push_back(static_cast<char>((bits >> shift) & 0xFFU));
        }
    }
    return bytes;
}

class NcnnImport : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-ncnn-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    Network import(const std::string& param, const std::string& bin) {
        std::ofstream(folder_ / "net.param", std::ios::binary) << param;
        std::ofstream(folder_ / "net.bin", std::ios::binary) << bin;
        return import_ncnn(folder_ / "net.param", folder_ / "net.bin");
    }

    // The message of the Error(model) that importing must end in.
    std::string refusal(const std::string& param, const std::string& bin) {
        try {
            import(param, bin);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::model) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "imported: " << param;
        return {};
    }

    std::filesystem::path folder_;
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, what.size(), by);
}

TEST_F(NcnnImport, reads_a_network_and_derives_what_it_needs_to_know) {
    const Network network = import(kParam, weight_bytes(kWeights, kBias));
    EXPECT_EQ(network.scale, 2);
    EXPECT_EQ(network.receptive_radius, 1);
    EXPECT_EQ(network.channels, 3);
    EXPECT_DOUBLE_EQ(network.macs_per_pixel, 324);
}

TEST_F(NcnnImport, names_file_and_layer_of_weights_that_end_too_early) {
    const std::string whole = weight_bytes(kWeights, kBias);
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{3}, std::size_t{4}, whole.size() / 2, whole.size() - 1}) {
        const std::string text = refusal(kParam, whole.substr(0, length));
        EXPECT_NE(text.find("net.bin"), std::string::npos) << text;
        EXPECT_NE(text.find("body"), std::string::npos) << text;
    }
}

TEST_F(NcnnImport, refuses_weights_that_no_layer_reads) {
    refusal(kParam, weight_bytes(kWeights, kBias) + "more");
}

TEST_F(NcnnImport, names_the_layer_of_an_unknown_kind) {
    const std::string text = refusal(replaced(kParam, "PixelShuffle", "FlashAttention"), weight_bytes(kWeights, kBias));
    EXPECT_NE(text.find("FlashAttention"), std::string::npos) << text;
    EXPECT_NE(text.find("shuffle"), std::string::npos) << text;
}

TEST_F(NcnnImport, refuses_sizes_that_do_not_add_up_before_it_allocates_them) {
    const std::string bin = weight_bytes(kWeights, kBias);
    for (const auto& [what, by] : std::vector<std::pair<std::string, std::string>>{{"6=324", "6=325"},
                                                                                   {"6=324", "6=2147483647"},
                                                                                   {"6=324", "6=-324"},
                                                                                   {"0=12", "0=-12"},
                                                                                   {"0=12", "0=0"},
                                                                                   {"1=3 ", "1=0 "},
                                                                                   {"1=3 ", "1=999999999999999999999 "},
                                                                                   {"0=2\n", "0=0\n"},
                                                                                   {"0=2\n", "0=5\n"},
                                                                                   {"0=2\n", "0=-2\n"}}) {
        EXPECT_FALSE(refusal(replaced(kParam, what, by), bin).empty()) << by;
    }
}

TEST_F(NcnnImport, refuses_what_is_no_param_file) {
    for (const char* text : {"", "7767517", "7767517\n", "hello\n1 1\n", "7767517\n999999999 1\n",
                             "7767517\n1 1\nInput input 0 999999999 data\n", "7767517\n3 3\nInput input 0 1 data\n",
                             "7767517\n1 1\nPixelShuffle shuffle 1 1 nowhere output 0=2\n"}) {
        refusal(text, {});
    }
}

TEST_F(NcnnImport, refuses_a_network_that_does_not_give_a_picture) {
    const std::string text = refusal(
        "7767517\n2 2\nInput input 0 1 data\n"
        "Convolution body 1 1 data output 0=12 1=3 4=1 5=1 6=324\n",
        weight_bytes(kWeights, kBias));
    EXPECT_NE(text.find("12"), std::string::npos) << text;
}

// Every prefix and every single damaged byte of the description: an error or a network, never anything else.
TEST_F(NcnnImport, survives_any_damage_to_the_description) {
    const std::string good = kParam;
    const std::string bin = weight_bytes(kWeights, kBias);
    int refused = 0;
    const auto survives = [&](const std::string& param) {
        try {
            import(param, bin);
        } catch (const Error& error) {
            ASSERT_EQ(error.kind(), ErrorKind::model) << error.what();
            ++refused;
        }
    };
    for (std::size_t i = 0; i < good.size(); ++i) {
        survives(good.substr(0, i));
        for (const char byte : {'\0', '9', '-', ' ', '\xFF'}) {
            std::string damaged = good;
            damaged[i] = byte;
            survives(damaged);
        }
    }
    EXPECT_GT(refused, 200);
}

}   // namespace
}   // namespace millstream
