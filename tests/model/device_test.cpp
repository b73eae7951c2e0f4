// Which device is meant, and what goes to it and back.
#include "model/device.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millstream/error.h"
#include "model/counted_device.h"
#include "model/executor.h"
#include "model/networks.h"

namespace millstream {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const DevicesHere kTwoCards{{{"cpu", "A processor", 0, 0},
                             {"cuda:0", "A card", 8ULL << 30, 6ULL << 30},
                             {"cuda:1", "A card", 8ULL << 30, 7ULL << 30},
                             {"openvino:GPU.0", "A graphics unit", 0, 0}},
                            {}};
const DevicesHere kOnlyProcessor{{{"cpu", "A processor", 0, 0}}, "Torch finds no CUDA device"};

std::string chosen(const std::string& asked, const DevicesHere& here = kTwoCards,
                   Backend backend = Backend::automatic) {
    return words(choose_devices(asked, backend, here));
}

std::string refusal(const std::string& asked, const DevicesHere& here) {
    try {
        return chosen(asked, here);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
}

TEST(Devices, auto_is_the_first_card_or_the_processor) {
    EXPECT_EQ(chosen("auto"), "cuda:0");
    EXPECT_EQ(chosen("auto", kTwoCards, Backend::openvino), "cpu");
    EXPECT_EQ(chosen("auto", kOnlyProcessor), "cpu");
    EXPECT_EQ(chosen("auto:1"), "cuda:1");
    EXPECT_EQ(chosen("auto:7"), "cpu") << "a card that is not there is no mistake of who wrote auto";
}

TEST(Devices, several_share_a_video_each_once_and_of_one_kind) {
    EXPECT_EQ(chosen("cuda:1,cuda,cuda:1"), "cuda:1,cuda:0");
    EXPECT_EQ(chosen("openvino:GPU"), "openvino:GPU.0");
    EXPECT_THAT(refusal("cpu,cuda:0", kTwoCards), HasSubstr("of one kind"));
}

TEST(Devices, one_that_is_not_there_is_refused_with_a_list_of_those_that_are) {
    EXPECT_THAT(refusal("cuda:2", kTwoCards), AllOf(HasSubstr("no such device"), HasSubstr("cuda:1 (A card, 8 GiB)"),
                                                    HasSubstr("openvino:GPU.0 (A graphics unit)")));
    EXPECT_THAT(refusal("cuda", kOnlyProcessor),
                AllOf(HasSubstr("Torch finds no CUDA device"), HasSubstr("cpu (A processor)")));
    EXPECT_THAT(refusal("openvino:GPU", kOnlyProcessor), HasSubstr("no such device"));
    EXPECT_THAT(refusal("meta", kTwoCards), HasSubstr("not the name of a device"));
    EXPECT_THAT(refusal("", kTwoCards), HasSubstr("not the name of a device"));
}

TEST(Devices, are_named_with_their_memory) {
    EXPECT_EQ(names(choose_devices("cuda:0,cuda:1", Backend::automatic, kTwoCards)), "2 x A card, 8 GiB");
    EXPECT_EQ(names(choose_devices("cpu", Backend::automatic, kTwoCards)), "A processor");
}

TEST(Devices, this_machine_has_a_processor_with_a_name) {
    const DevicesHere here = find_devices("auto");
    EXPECT_EQ(here.devices.front().word, "cpu");
    EXPECT_FALSE(here.devices.front().name.empty());
}

Network test_network() {
    Network network = chain({conv(3, 8, 3), prelu(8), conv(8, 12, 3), shuffle(2)});
    network.scale = 2;
    return network;
}

// On a device that counts: what crosses the bus, and what stays behind.
class CountedRun : public testing::Test {
protected:
    Network network_ = test_network();
    at::Tensor input_ = at::rand({1, 3, 20, 28});

    static ExecutorSettings settings_for(std::vector<std::shared_ptr<DeviceLink>> links, int requests) {
        ExecutorSettings settings{
            .backend = Backend::torch, .precision = Precision::fp32, .threads = 1, .requests = requests};
        settings.device = links.size() == 2 ? "cuda:0,cuda:1" : "cuda:0";
        settings.links = std::move(links);
        return settings;
    }
};

TEST_F(CountedRun, r2_4_each_request_goes_there_once_and_comes_back_once_and_is_waited_for_once) {
    ExecutorSettings plain{.backend = Backend::torch, .precision = Precision::fp32, .threads = 1};
    const at::Tensor wanted = run_once(*make_executor(network_, plain), network_, input_);
    CountedMemory memory;
    {
        const auto device = std::make_shared<CountedDevice>(memory);
        const auto executor = make_executor(network_, settings_for({device}, 1));
        const std::uint64_t before = memory.live();
        for (int i = 1; i <= 3; ++i) {
            at::Tensor output = at::empty_like(wanted);
            const std::uint64_t host = memory.live();
            executor->start(0, input_, output);
            executor->wait(0);
            EXPECT_TRUE(at::equal(output, wanted));
            EXPECT_EQ(memory.live(), host) << "nothing of a request stays on the device";
            EXPECT_EQ(device->traffic().uploads.load(), i);
            EXPECT_EQ(device->traffic().downloads.load(), i);
            EXPECT_EQ(device->traffic().synchronisations.load(), i);
        }
        EXPECT_EQ(device->counts().pageable_copies, 0);
        EXPECT_LE(device->counts().buffers, 4);
        EXPECT_EQ(memory.live(), before);
        EXPECT_EQ(device->traffic().uploaded_bytes.load(), 3 * input_.numel() * sizeof(float));
        EXPECT_EQ(device->traffic().downloaded_bytes.load(), 3 * wanted.numel() * sizeof(float));
    }
    EXPECT_EQ(memory.live(), 0U);
}

TEST_F(CountedRun, what_is_sent_has_been_read_when_upload_returns_and_may_have_gaps_between_its_rows) {
    CountedMemory memory;
    {
        CountedDevice device(memory);
        at::Tensor host = at::arange(60, at::kShort).view({6, 10});
        const at::Tensor wanted = host.narrow(1, 2, 5).clone();
        const std::vector<at::Tensor> there = device.upload({host.narrow(1, 2, 5)});
        host.zero_();
        EXPECT_TRUE(there.front().is_contiguous());
        EXPECT_TRUE(at::equal(there.front(), wanted));
        device.download({there.front() + 1}, {host.narrow(1, 2, 5)});
        EXPECT_TRUE(at::equal(host.narrow(1, 2, 5), wanted + 1));
        EXPECT_EQ(host.narrow(1, 7, 3).sum().item<int>(), 0);
    }
}

TEST_F(CountedRun, two_devices_take_turns_and_the_result_is_the_same) {
    ExecutorSettings plain{.backend = Backend::torch, .precision = Precision::fp32, .threads = 1};
    const at::Tensor wanted = run_once(*make_executor(network_, plain), network_, input_);
    CountedMemory memory;
    {
        const auto first = std::make_shared<CountedDevice>(memory);
        const auto second = std::make_shared<CountedDevice>(memory);
        const auto executor = make_executor(network_, settings_for({first, second}, 3));
        ASSERT_EQ(executor->requests(), 3U);
        std::vector<at::Tensor> outputs;
        for (std::size_t slot = 0; slot < 3; ++slot) {
            outputs.push_back(at::empty_like(wanted));
            executor->start(slot, input_, outputs.back());
        }
        for (std::size_t slot = 0; slot < 3; ++slot) {
            executor->wait(slot);
            EXPECT_TRUE(at::equal(outputs[slot], wanted)) << slot;
        }
        EXPECT_EQ(first->traffic().uploads.load(), 2);
        EXPECT_EQ(second->traffic().uploads.load(), 1);
    }
}

TEST_F(CountedRun, what_would_pass_the_limit_is_out_of_memory) {
    CountedMemory memory;
    {
        const auto device = std::make_shared<CountedDevice>(memory);
        const auto executor = make_executor(network_, settings_for({device}, 1));
        at::Tensor output = at::empty({1, 3, 40, 56});
        device->limit(memory.live() + input_.numel() * sizeof(float));
        executor->start(0, input_, output);
        try {
            executor->wait(0);
            FAIL() << "it went through";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::resource);
        }
    }
    EXPECT_EQ(memory.live(), 0U);
}

// The real thing. Skipped, visibly, where there is none: docs/gpu.md.
TEST(Gpu, a_network_on_cuda_is_within_a_code_of_the_processor_and_leaves_nothing_behind) {
    const DevicesHere here = find_devices("cuda");
    if (!here.no_cuda.empty()) {
        GTEST_SKIP() << here.no_cuda;
    }
    const Network network = test_network();
    const at::Tensor input = at::rand({1, 3, 64, 96});
    const ExecutorSettings plain{.backend = Backend::torch, .precision = Precision::fp32, .threads = 1};
    const at::Tensor wanted = run_once(*make_executor(network, plain), network, input);
    ExecutorSettings settings;
    settings.device = "cuda:0";
    resolve_backend(settings);
    EXPECT_EQ(settings.precision, Precision::fp16);
    EXPECT_TRUE(settings.links.front()->limit(1ULL << 30));
    const at::Tensor output = run_once(*make_executor(network, settings), network, input);
    EXPECT_LT((output - wanted).abs().max().item<float>(), 1.0F / 255);
    EXPECT_GT(settings.links.front()->take_peak_bytes(), 0U);
}

TEST(Gpu, tensors_go_to_cuda_and_back_beside_its_work_and_are_the_same) {
    const DevicesHere here = find_devices("cuda");
    if (!here.no_cuda.empty()) {
        GTEST_SKIP() << here.no_cuda;
    }
    const auto link = open_device_link("cuda:0");
    for (int i = 0; i < 20; ++i) {
        at::Tensor host = at::rand({1080, 1920}).mul(255).to(at::kByte);
        const at::Tensor wanted = host.clone();
        const std::vector<at::Tensor> there = link->upload({host, host});
        host.zero_();   // it has been read
        link->download({there[1].to(at::kFloat).add(1).sub(1).to(at::kByte)}, {host});
        ASSERT_TRUE(at::equal(host, wanted)) << i;
    }
}

}   // namespace
}   // namespace millstream
