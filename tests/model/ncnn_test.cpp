// The ncnn importer on bytes in memory: what each kind of layer becomes, and what is refused. Whole files:
// library_test.
#include "model/ncnn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <span>

#include "millstream/error.h"
#include "model/files.h"
#include "model/library.h"
#include "model/ncnn_bytes.h"
#include "model/ncnn_weights.h"

namespace millstream {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The text of the Error(model) that `import` throws.
template <class Import>
std::string refusal(const Import& import) {
    try {
        import();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::model);
        return error.what();
    }
    ADD_FAILURE() << "it was accepted";
    return {};
}
std::string refusal(const NcnnBytes& model) {
    return refusal([&] { (void)model.import(); });
}
std::string refusal_of_text(const std::string& param) {
    return refusal([&] { (void)parse_ncnn(param, {}, "net.param", "net.bin"); });
}

TEST(NcnnImporter, reads_a_small_model) {
    const Network network = small_model().import();
    ASSERT_EQ(network.nodes.size(), 2U);
    EXPECT_EQ(network.name, "net");
    EXPECT_EQ(network.nodes[1].op, Op::convolution);
    EXPECT_EQ(network.nodes[1].shape, (std::vector<std::int64_t>{3, 3, 1, 1}));
    EXPECT_EQ(network.scale, 1);
    EXPECT_EQ(network.receptive_radius, 0);
}

TEST(NcnnImporter, reads_half_precision_weights_with_their_padding) {
    NcnnBytes model;
    model.layer("Convolution unit 1 1 data output 0=3 1=1 5=1 6=9");
    model.tag(0x01306B47).halves({0x3C00, 0, 0, 0, 0x3800, 0, 0, 0, 0xC000, /* padding */ 0xFFFF}).plain({1, 2, 3});
    const Network network = model.import();
    EXPECT_EQ(network.nodes[1].weights, (std::vector<float>{1, 0, 0, 0, 0.5F, 0, 0, 0, -2}));
    EXPECT_EQ(network.nodes[1].bias, (std::vector<float>{1, 2, 3}));
}

TEST(NcnnImporter, converts_every_kind_of_half_precision_number) {
    EXPECT_EQ(float_from_half(0x0000), 0.0F);
    EXPECT_TRUE(std::signbit(float_from_half(0x8000)));
    EXPECT_EQ(float_from_half(0x0001), 0x1p-24F);   // smallest subnormal
    EXPECT_EQ(float_from_half(0x83FF), -1023 * 0x1p-24F);
    EXPECT_EQ(float_from_half(0x0400), 0x1p-14F);   // smallest normal
    EXPECT_EQ(float_from_half(0x3555), 0x1.554p-2F);
    EXPECT_EQ(float_from_half(0x7BFF), 65504.0F);
    EXPECT_TRUE(std::isinf(float_from_half(0x7C00)));
    EXPECT_TRUE(std::isnan(float_from_half(0x7E00)));
}

TEST(NcnnImporter, turns_fused_activations_into_layers) {
    NcnnBytes model;
    model.layer("Convolution unit 1 1 data output 0=3 1=1 6=9 9=2 -23310=1,2.0e-01");
    model.tag(0).plain(std::vector<float>(9, 1.0F));
    const Network network = model.import();
    ASSERT_EQ(network.nodes.size(), 3U);
    EXPECT_EQ(network.nodes[2].op, Op::leaky_relu);
    EXPECT_FLOAT_EQ(network.nodes[2].alpha, 0.2F);
    EXPECT_EQ(network.output, 2);
}

TEST(NcnnImporter, follows_splits_to_their_source) {
    NcnnBytes model;
    model.layer("Split split 1 2 data a b", 2).layer("BinaryOp sum 2 1 a b output 0=0");
    const Network network = model.import();
    EXPECT_EQ(network.nodes[1].inputs, (std::vector<int>{0, 0}));
}

TEST(NcnnImporter, understands_scalar_operations) {
    struct Case {
        const char* parameters;
        float alpha, beta;
    };
    for (const Case& c : {Case{"0=0 1=1 2=2.5", 1, 2.5F}, Case{"0=1 1=1 2=2.5", 1, -2.5F},
                          Case{"0=2 1=1 2=2.5", 2.5F, 0}, Case{"0=3 1=1 2=4", 0.25F, 0}, Case{"0=7 1=1 2=4", -1, 4}}) {
        NcnnBytes model;
        model.layer(std::string("BinaryOp op 1 1 data output ") + c.parameters);
        const Network network = model.import();
        EXPECT_EQ(network.nodes[1].op, Op::scale_add);
        EXPECT_FLOAT_EQ(network.nodes[1].alpha, c.alpha) << c.parameters;
        EXPECT_FLOAT_EQ(network.nodes[1].beta, c.beta) << c.parameters;
    }
}

TEST(NcnnImporter, reads_interpolation_factors_as_fractions) {
    NcnnBytes model;
    model.layer("Interp up 1 1 data big 0=1 1=4.0 2=4.0").layer("Interp down 1 1 big output 0=3 1=7.5e-01 2=7.5e-01");
    const Network network = model.import();
    EXPECT_EQ(network.nodes[2].mode, InterpolateMode::bicubic);
    EXPECT_EQ(network.nodes[2].factor_num, 3);
    EXPECT_EQ(network.nodes[2].factor_den, 4);
    EXPECT_EQ(network.scale, 3);
}

// What is wrong, and what the message must name.

TEST(NcnnImporter, refuses_truncated_weights) {
    NcnnBytes model = small_model();
    while (!model.bin.empty()) {
        model.bin.pop_back();
        EXPECT_THAT(refusal(model), AllOf(HasSubstr("net.bin"), HasSubstr("unit"), HasSubstr("bytes are left")));
    }
}

TEST(NcnnImporter, refuses_weights_that_no_layer_reads) {
    NcnnBytes model = small_model();
    model.append("more", 4);
    EXPECT_THAT(refusal(model), HasSubstr("net.bin"));
}

TEST(NcnnImporter, names_a_layer_of_an_unknown_kind) {
    NcnnBytes model;
    model.layer("FlashAttention focus 1 1 data output 0=3");
    EXPECT_THAT(refusal(model), AllOf(HasSubstr("net.param"), HasSubstr("FlashAttention"), HasSubstr("focus")));
}

TEST(NcnnImporter, refuses_weights_that_do_not_fit_the_kernel) {
    NcnnBytes model;
    model.layer("Convolution conv 1 1 data output 0=3 1=3 4=1 6=80").tag(0).plain(std::vector<float>(80));
    EXPECT_THAT(refusal(model), HasSubstr("80 weights"));
}

TEST(NcnnImporter, refuses_weights_for_other_channels) {
    NcnnBytes model;
    model.layer("Convolution conv 1 1 data output 0=3 1=1 6=12").tag(0).plain(std::vector<float>(12));
    EXPECT_THAT(refusal(model), AllOf(HasSubstr("conv"), HasSubstr("4 channels"), HasSubstr("3 come in")));
}

TEST(NcnnImporter, refuses_huge_counts_without_allocating) {
    NcnnBytes model;
    model.layer("Convolution conv 1 1 data output 0=16777216 1=16777216 6=1099511627776").tag(0);
    EXPECT_THAT(refusal(model), HasSubstr("weights"));
    NcnnBytes slopes;
    slopes.layer("PReLU act 1 1 data output 0=16777216");
    EXPECT_THAT(refusal(slopes), HasSubstr("bytes are left"));
}

TEST(NcnnImporter, refuses_unsupported_weight_storage) {
    NcnnBytes model;
    model.layer("Convolution conv 1 1 data output 0=3 1=1 6=9").tag(0x000D4B38).plain(std::vector<float>(9));
    EXPECT_THAT(refusal(model), HasSubstr("tag"));
}

TEST(NcnnImporter, refuses_weights_that_are_not_numbers) {
    NcnnBytes model;
    model.layer("PReLU act 1 1 data output 0=3").plain({0, NAN, 0});
    EXPECT_THAT(refusal(model), HasSubstr("not a finite number"));
}

TEST(NcnnImporter, refuses_what_it_does_not_understand) {
    for (const char* layer : {
             "Convolution c 1 1 data output 0=3 1=3 11=1 6=9",       // rectangular kernel
             "Convolution c 1 1 data output 0=3 1=1 2=2 6=9",        // dilation
             "Convolution c 1 1 data output 0=3 1=1 6=9 9=3",        // clip
             "Convolution c 1 1 data output 0=3 1=1 6=9 27=1",       // unknown parameter
             "Convolution c 1 1 data output 0=3 1=1 6=9 4=1 15=2",   // padding that differs
             "Convolution c 1 1 data output 0=0 1=1 6=9",            // no outputs
             "Convolution c 1 1 data output 0=-3 1=1 6=9",           // negative
             "Convolution c 1 1 data output 0=3 1=0 6=9",            // no kernel
             "Convolution c 1 1 data output 0=3 1=1 6=-9",           // fewer weights than none
             "Convolution c 1 1 data output 0=3 1=999999999999999999999 6=9",
             "Convolution c 1 1 data output 0=3.5 1=1 6=9",        // not whole
             "Convolution c 1 1 data output -23300=1,3 1=1 6=9",   // a list
             "Interp c 1 1 data output 0=1 1=1.2345 2=1.2345",     // no simple fraction
             "Interp c 1 1 data output 0=1 1=2.0 2=3.0",           // rectangular
             "Interp c 1 1 data output 0=2 1=2.0 2=2.0 6=1",       // aligned corners
             "PixelShuffle c 1 1 data output 0=3",                 // 3 channels
             "PixelShuffle c 1 1 data output 0=0",                 // into nothing
             "PixelShuffle c 1 1 data output 0=-2",                // less than that
             "PixelShuffle c 1 1 data output 0=1 1=1",             // other order
             "BinaryOp c 1 1 data output 0=3 1=1 2=0",             // division by zero
             "BinaryOp c 1 1 data output 0=6 1=1 2=2",             // power
             "BinaryOp c 1 1 data output 0=2 1=1 2=1e200",         // too large
             "Concat c 1 1 data output 0=1",                       // other axis
             "Padding c 1 1 data output 0=1 1=1 2=1 3=1 4=0",      // with zeros
             "Crop c 1 1 data output -23309=2,1,2 -23310=2,-1,-2 -23311=2,1,2",
             "BinaryOp c 2 1 data nowhere output 0=0",   // unknown blob
             "Sigmoid c 1 1 data data",                  // blob written twice
             "Sigmoid c 2 1 data data output",           // too many inputs
             "Input c 0 1 other",                        // second input
         }) {
        NcnnBytes model;
        model.layer(layer);
        if (std::string(layer).starts_with("Convolution")) {
            model.tag(0).plain(std::vector<float>(9));
        }
        EXPECT_THAT(refusal(model), AllOf(HasSubstr("net.param"))) << layer;
    }
}

TEST(NcnnImporter, refuses_text_that_is_no_param) {
    for (const char* text : {"",
                             "\n\n",
                             "hello",
                             "7767517",
                             "7767517 1",
                             "7767517\n",
                             "7767517\n1\n",
                             "7767517\n999999999 1\n",
                             "7767517\n1 1\nInput input 0 999999999 data\n",
                             "7767517\nx y\n",
                             "7767517\n2 1\nInput data 0 1 data\n",
                             "7767517\n1 1\nInput data 0 1\n",
                             "7767517\n1 1\nInput data 0\n",
                             "7767517\n1 1\nInput data -1 1 data\n",
                             "7767517\n1 1\nInput data 0 99999999999999999999 data\n",
                             "7767517\n1 1\nInput data 0 9223372036854775807 data\n",
                             "7767517\n1 1\nInput data 0 1 data 0\n",
                             "7767517\n1 1\nInput data 0 1 data 0=\n",
                             "7767517\n1 1\nInput data 0 1 data 99=1\n",
                             "7767517\n1 1\nInput data 0 1 data 0=1 0=1\n",
                             "7767517\n1 1\nInput data 0 1 data -23301=3,1\n",
                             "7767517\n1 1\nInput data 0 1 data 0=nan\n",
                             "7767517\n0 0\n",
                             "\x80\x02}q\x01."}) {
        EXPECT_THAT(refusal_of_text(text), HasSubstr("net.param")) << text;
    }
}

TEST(NcnnImporter, shows_names_from_the_file_harmlessly) {
    EXPECT_THAT(refusal_of_text("7767517\n1 1\n\x1b[31mX " + std::string(300, 'n') + " 0 1 data\n"),
                AllOf(HasSubstr("nnn"), testing::Not(HasSubstr("\x1b"))));
}

// Every prefix and every single damaged byte of a description: an error or a network, never anything else.
TEST(NcnnImporter, survives_any_damage_to_a_description) {
    NcnnBytes model;
    model.layer("Convolution body 1 1 data wide 0=12 1=3 4=1 5=1 6=324").layer("PixelShuffle up 1 1 wide output 0=2");
    model.tag(0).plain(std::vector<float>(324 + 12, 0.01F));
    ASSERT_EQ(model.import().scale, 2);
    const std::string good = model.param();
    int refused = 0;
    const auto survives = [&](const std::string& param) {
        try {
            (void)parse_ncnn(param, model.bin, "net.param", "net.bin");
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::model) << error.what();
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

// Any damage to the real files is refused or gives a sound network: never a crash (run it under the sanitizers).
TEST(NcnnImporter, survives_damage_to_real_files) {
    std::mt19937 random(1);   // NOLINT(cert-msc51-cpp): the same damage every time
    int files = 0;
    for (const ModelInfo& info : list_models()) {
        if (info.path.empty() || info.name == "realesrgan-x4plus") {   // 33 MB: slow, and nothing new in it
            continue;
        }
        ++files;
        const NcnnFiles sound = read_ncnn(info.path / info.files[0].name, info.path / info.files[1].name);
        for (int round = 0; round < 60; ++round) {
            NcnnFiles damaged = sound;
            std::vector<char>& bytes = round % 3 == 0 ? damaged.bin : damaged.param;
            const auto at = [&] { return static_cast<std::ptrdiff_t>(random() % bytes.size()); };
            switch (random() % 4) {
                case 0:
                    bytes.resize(static_cast<std::size_t>(at()));
                    break;
                case 1:
                    bytes[static_cast<std::size_t>(at())] = static_cast<char>(random());
                    break;
                case 2:   // a digit: other counts, sizes and channels
                    bytes[static_cast<std::size_t>(at())] = static_cast<char>('0' + random() % 10);
                    break;
                default: {
                    const std::ptrdiff_t from = at();
                    const std::ptrdiff_t to = std::min<std::ptrdiff_t>(from + 40, std::ssize(bytes));
                    bytes.erase(bytes.begin() + from, bytes.begin() + to);
                }
            }
            try {
                const Network network = parse_ncnn({damaged.param.data(), damaged.param.size()},
                                                   std::as_bytes(std::span(damaged.bin)), "net.param", "net.bin");
                EXPECT_GE(network.scale, 1);
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::model) << error.what();
            }
        }
    }
    if (files == 0) {
        GTEST_SKIP() << "the weight packages are not installed";
    }
}

}   // namespace
}   // namespace millstream
