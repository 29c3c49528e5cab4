// SPDX-License-Identifier: MIT
//
// Telling glibc's chunks from everything else. In this program malloc is glibc's own: real chunks are at
// hand. Knows nothing of hotlane's tiers. Run by meson.
#include "fallback/glibc_heap.h"

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

std::vector<void*> blocks_of_all_sizes() {
    std::vector<void*> blocks;
    for (size_t bytes = 1; bytes < 3 * MiB; bytes = bytes * 3 / 2 + 1) {
        blocks.push_back(malloc(bytes));
        blocks.push_back(aligned_alloc(256, bytes / 256 * 256 + 256));
    }
    return blocks;
}

TEST(GlibcHeap, KnowsTheMainArenaAndMappedChunks) {
    for (void* p : blocks_of_all_sizes()) {
        EXPECT_TRUE(glibc_heap::is_chunk(p)) << p;
        free(p);
    }
}

TEST(GlibcHeap, KnowsTheArenasOfThreads) {
    std::thread([] {
        for (void* p : blocks_of_all_sizes()) {
            EXPECT_TRUE(glibc_heap::is_chunk(p)) << p;
            free(p);
        }
    }).join();
}

TEST(GlibcHeap, InteriorPointersAreNotChunks) {
    auto* p = static_cast<char*>(malloc(4'000));
    memset(p, 0, 4'000);
    for (size_t offset = 1; offset < 3'900; ++offset) {
        EXPECT_FALSE(glibc_heap::is_chunk(p + offset));
    }
    free(p);
}

TEST(GlibcHeap, WildPointersNeitherFaultNorPass) {
    void* unreadable = mmap(nullptr, 64 * KiB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(unreadable, MAP_FAILED);
    const int local = 0;
    static int global = 0;
    const std::vector<const void*> wild = {nullptr,
                                           pointer_to(16),
                                           pointer_to(4096),
                                           pointer_to(UINTPTR_MAX - 15),
                                           pointer_to(uintptr_t{1} << 47),
                                           unreadable,
                                           &local,
                                           &global,
                                           static_cast<const char*>(unreadable) + 4096};
    for (const void* p : wild) {
        EXPECT_FALSE(glibc_heap::is_chunk(p)) << p;
    }
    munmap(unreadable, 64 * KiB);
}

TEST(GlibcHeap, FreshMappingsAreNotChunks) {
    void* fresh = mmap(nullptr, MiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(fresh, MAP_FAILED);
    for (size_t offset = 0; offset < MiB; offset += 16) {
        ASSERT_FALSE(glibc_heap::is_chunk(static_cast<char*>(fresh) + offset));
    }
    munmap(fresh, MiB);
}

TEST(GlibcHeap, HandsOnToGlibc) {
    auto* p = static_cast<char*>(malloc(100));
    memset(p, 7, 100);
    EXPECT_GE(glibc_heap::usable_size(p), 100U);
    p = static_cast<char*>(glibc_heap::reallocate(p, 500'000));
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(p[99], 7);
    EXPECT_TRUE(glibc_heap::is_chunk(p));
    glibc_heap::release(p);
}

}  // namespace
