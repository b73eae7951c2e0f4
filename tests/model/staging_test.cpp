// The buffers between the host's memory and a device's.
#include "model/staging.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace millstream {
namespace {

// Of a device that is slow: reached when somebody has waited for it.
class SlowEvent final : public DeviceEvent {
public:
    [[nodiscard]] bool reached() const override { return reached_; }
    void wait() override { reached_ = true; }
    void hold(DeviceStream /*stream*/) override {}

private:
    bool reached_ = false;
};

class StagingTest : public testing::Test {
protected:
    std::int64_t made_ = 0;
    bool fails_ = false;
    std::atomic<std::int64_t> waits_{0};
    Staging staging_{[this](std::int64_t bytes) {
                         if (fails_) {
                             throw std::bad_alloc();
                         }
                         ++made_;
                         return at::empty({bytes}, at::kByte);
                     },
                     waits_};
};

TEST_F(StagingTest, each_tensor_gets_room_of_its_shape_and_type) {
    Staging::Loan loan = staging_.lend({at::zeros({3, 5}, at::kByte), at::zeros({2, 2}), at::zeros({7}, at::kShort)});
    ASSERT_EQ(loan.parts().size(), 3U);
    EXPECT_EQ(loan.parts()[1].sizes(), (std::vector<std::int64_t>{2, 2}));
    EXPECT_EQ(loan.parts()[2].scalar_type(), at::kShort);
    for (std::size_t i = 0; i < 3; ++i) {
        loan.parts()[i].fill_(static_cast<int>(i + 1));
    }
    EXPECT_EQ(loan.parts()[0].sum().item<int>(), 15) << "they do not overlap";
    EXPECT_EQ(loan.parts()[1].sum().item<float>(), 8);
}

TEST_F(StagingTest, buffers_take_turns_and_are_made_once) {
    const std::vector<at::Tensor> tensors{at::zeros({100})};
    for (int i = 0; i < 6; ++i) {
        staging_.lend(tensors).done();
    }
    EXPECT_EQ(made_, 2);
    staging_.lend({at::zeros({10})}).done();
    EXPECT_EQ(made_, 2) << "less goes into the same";
    staging_.lend({at::zeros({1000})}).done();
    EXPECT_EQ(made_, 3);
}

TEST_F(StagingTest, a_buffer_is_lent_again_when_the_device_is_done_with_it) {
    const std::vector<at::Tensor> tensors{at::zeros({100})};
    const auto first = std::make_shared<SlowEvent>();
    staging_.lend(tensors).done(first);
    staging_.lend(tensors).done(std::make_shared<SlowEvent>());
    EXPECT_EQ(waits_.load(), 0) << "there are two";
    staging_.lend(tensors).done();
    EXPECT_TRUE(first->reached());
    EXPECT_EQ(waits_.load(), 1);
}

TEST_F(StagingTest, who_comes_while_all_are_lent_waits_for_one) {
    const std::vector<at::Tensor> tensors{at::zeros({100})};
    std::atomic<bool> served{false};
    std::thread third;
    {
        Staging::Loan a = staging_.lend(tensors);
        Staging::Loan b = staging_.lend(tensors);
        third = std::thread([&] {
            Staging::Loan c = staging_.lend(tensors);
            served = true;
            c.done();
        });
        EXPECT_FALSE(served);
        a.done();
        b.done();
    }
    third.join();
    EXPECT_TRUE(served);
    EXPECT_EQ(made_, 2);
}

TEST_F(StagingTest, what_failed_half_way_is_not_used_again_and_a_lack_of_memory_costs_no_buffer) {
    const std::vector<at::Tensor> tensors{at::zeros({100})};
    EXPECT_THROW(
        {
            Staging::Loan loan = staging_.lend(tensors);
            throw std::runtime_error("a copy failed");
        },
        std::runtime_error);
    fails_ = true;
    for (int i = 0; i < 3; ++i) {
        EXPECT_THROW(staging_.lend(tensors), std::bad_alloc);
    }
    fails_ = false;
    Staging::Loan a = staging_.lend(tensors);
    Staging::Loan b = staging_.lend(tensors);
    EXPECT_EQ(made_, 3) << "the first one was let go";
    a.done();
    b.done();
}

TEST_F(StagingTest, idle_buffers_can_be_let_go) {
    const std::vector<at::Tensor> tensors{at::zeros({100})};
    staging_.lend(tensors).done();
    staging_.lend(tensors).done(std::make_shared<SlowEvent>());
    staging_.drop_idle();
    staging_.lend(tensors).done();
    EXPECT_EQ(made_, 3) << "not the one that the device still reads";
}

}   // namespace
}   // namespace millstream
