#include "resource/allocator.h"

#include <gtest/gtest.h>

#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace millstream {
namespace {

// A test of its own process: arenas that exist already stay.
TEST(BoundAllocator, leaves_two_arenas_to_any_number_of_threads) {
#if !defined(__GLIBC__) || defined(MILLSTREAM_SANITIZED)
    GTEST_SKIP() << "glibc's allocator is not in use";
#else
    bound_allocator();
    std::barrier all_have_allocated(8);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                void* volatile block = std::malloc(5000);
                all_have_allocated.arrive_and_wait();
                std::free(block);
            });
        }
    }
    char* text = nullptr;
    std::size_t size = 0;
    FILE* stream = open_memstream(&text, &size);
    ASSERT_EQ(malloc_info(0, stream), 0);
    std::fclose(stream);
    const std::string info(text, size);
    std::free(text);
    int arenas = 0;
    for (std::size_t at = info.find("<heap nr="); at != std::string::npos; at = info.find("<heap nr=", at + 1)) {
        ++arenas;
    }
    EXPECT_GE(arenas, 1);
    EXPECT_LE(arenas, 2) << info;
#endif
}

}   // namespace
}   // namespace millstream
