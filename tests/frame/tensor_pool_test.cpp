#include "frame/tensor_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <new>
#include <thread>
#include <vector>

namespace millstream {
namespace {

TEST(TensorPool, gives_aligned_tensors_of_its_shape) {
    TensorPool pool({3, 5, 7});
    const at::Tensor tensor = pool.take();
    EXPECT_EQ(tensor.sizes().vec(), (std::vector<std::int64_t>{3, 5, 7}));
    EXPECT_EQ(tensor.scalar_type(), at::kFloat);
    EXPECT_TRUE(tensor.is_contiguous());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) % 64, 0U);
    EXPECT_EQ(pool.tensor_bytes(), 3U * 5U * 7U * 4U);
}

TEST(TensorPool, reuses_memory_only_when_the_last_reference_goes) {
    TensorPool pool({16});
    const void* first = nullptr;
    {
        at::Tensor view;
        {
            const at::Tensor tensor = pool.take();
            first = tensor.const_data_ptr();
            view = tensor.narrow(0, 4, 4);
        }
        EXPECT_EQ(pool.live(), 1);
        EXPECT_NE(pool.take().const_data_ptr(), first);
    }
    EXPECT_EQ(pool.live(), 0);
    const at::Tensor a = pool.take();
    const at::Tensor b = pool.take();
    EXPECT_TRUE(a.const_data_ptr() == first || b.const_data_ptr() == first);
    EXPECT_EQ(pool.allocated(), 2);
}

TEST(TensorPool, tensors_may_outlive_the_pool) {
    at::Tensor tensor;
    {
        TensorPool pool({1024});
        tensor = pool.take();
    }
    tensor.mutable_data_ptr<float>()[1023] = 1.0F;
    EXPECT_EQ(tensor.const_data_ptr<float>()[1023], 1.0F);
}

TEST(TensorPool, counts_nothing_when_memory_runs_out) {
#ifdef MILLSTREAM_SANITIZED
    GTEST_SKIP() << "the sanitizers' allocators end the process instead";
#endif
    TensorPool pool({std::numeric_limits<std::int64_t>::max() / 8});
    EXPECT_THROW((void)pool.take(), std::bad_alloc);
    EXPECT_EQ(pool.live(), 0);
    EXPECT_EQ(pool.allocated(), 0);
}

TEST(TensorPool, several_threads_may_take_and_drop) {
    TensorPool pool({64});
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&pool, i] {
                for (int round = 0; round < 500; ++round) {
                    const at::Tensor tensor = pool.take();
                    tensor.mutable_data_ptr<float>()[0] = static_cast<float>(i);
                    EXPECT_EQ(tensor.const_data_ptr<float>()[0], static_cast<float>(i));
                }
            });
        }
    }
    EXPECT_EQ(pool.live(), 0);
    EXPECT_LE(pool.allocated(), 4);
}

}   // namespace
}   // namespace millstream
