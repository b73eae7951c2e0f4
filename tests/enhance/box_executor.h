// An executor without a network behind it.
#pragma once

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <deque>

#include "model/executor.h"

namespace millstream {

/// y = each pixel repeated scale x scale times, plus the mean of its 3x3 neighbourhood (zero padded): radius 1.
class BoxExecutor : public Executor {
public:
    BoxExecutor(std::size_t requests, int scale) : slots_(requests), scale_(scale) {}
    std::size_t requests() const override { return slots_.size(); }
    void start(std::size_t request, at::Tensor input, at::Tensor output) override {
        EXPECT_FALSE(slots_.at(request).output.defined()) << "slot started while busy";
        slots_[request] = {input, output};
    }
    void wait(std::size_t request) override {
        Slot slot = std::move(slots_.at(request));
        slots_[request] = {};
        if (slot.output.defined()) {
            const at::Tensor mean = at::avg_pool2d(slot.input, 3, 1, 1);
            slot.output.copy_(mean.repeat_interleave(scale_, 2).repeat_interleave(scale_, 3));
        }
    }
    Backend backend() const override { return Backend::torch; }
    Precision precision() const override { return Precision::fp32; }

protected:
    [[nodiscard]] bool running(std::size_t request) const { return slots_.at(request).output.defined(); }

private:
    struct Slot {
        at::Tensor input;
        at::Tensor output;
    };
    std::deque<Slot> slots_;
    int scale_;
};

}   // namespace millstream
