// SPDX-License-Identifier: MIT
//
// Tests the C interface as a program uses it, linked with libhotlane.so, which also serves the test's malloc.
#include "hotlane/hotlane.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <malloc.h>
#include <vector>

namespace {

/// Hides from the compiler that the memory came from malloc, so that it can be read after the free.
unsigned char* hidden(void* p) {
    asm volatile("" : "+r"(p) : : "memory");
    return static_cast<unsigned char*>(p);
}

TEST(Api, VersionIsThatOfTheHeaderAndOfTheProject) { EXPECT_STREQ(hotlane_version(), PROJECT_VERSION); }

TEST(Api, PurgeReturnsWhatWasFreed) {
    constexpr size_t kBytes = 16U << 20U;
    std::vector<void*> blocks(kBytes / 1024);
    for (void*& p : blocks) {
        p = malloc(1024);
        memset(hidden(p), 1, 1024);
    }
    hotlane_purge();
    EXPECT_LT(hotlane_purge(), kBytes / 16);  // all of it is in use
    std::for_each(blocks.begin(), blocks.end(), free);
    EXPECT_GT(hotlane_purge(), kBytes / 16 * 15);
}

TEST(Api, ReallocLeavesAnObjectWhereItIsDownToHalfOfIt) {
    for (const size_t usable : {size_t{1024}, size_t{4096}, size_t{32768}}) {
        void* p = malloc(usable);
        ASSERT_EQ(malloc_usable_size(p), usable);
        p = realloc(p, usable / 2 + 1);
        EXPECT_EQ(malloc_usable_size(p), usable);
        p = realloc(p, usable / 2 - 1);
        EXPECT_LE(malloc_usable_size(p), usable / 2) << "it would keep twice what it needs";
        free(p);
    }
}

class Zeroed : public testing::TestWithParam<size_t> {};

TEST_P(Zeroed, TheWholeUsableSizeIsClearedBeforeTheObjectIsFree) {
    unsigned char* secret = hidden(malloc(GetParam()));
    const size_t usable = malloc_usable_size(secret);
    ASSERT_GE(usable, GetParam());
    memset(secret, 0xA5, usable);
    errno = 7;
    hotlane_free_zeroed(secret);
    EXPECT_EQ(errno, 7);
    unsigned char* again = hidden(malloc(GetParam()));
    ASSERT_EQ(again, secret) << "last in, first out";
    EXPECT_EQ(std::count(again, again + usable, 0), static_cast<ptrdiff_t>(usable));
    free(again);
}
INSTANTIATE_TEST_SUITE_P(Sizes, Zeroed, testing::Values(1, 64, 65, 1000, 4096, 65536));

TEST(Api, NullIsNothing) { hotlane_free_zeroed(nullptr); }

TEST(Api, LargeBlocksAreClearedToo) {
    constexpr size_t kSize = 100000;
    unsigned char* secret = hidden(malloc(kSize));
    memset(secret, 0xA5, kSize);
    hotlane_free_zeroed(secret);
    unsigned char* again = hidden(malloc(kSize));
    ASSERT_EQ(again, secret);
    // The fallback may keep a few words of its own in a free block.
    EXPECT_GT(std::count(again, again + kSize, 0), static_cast<ptrdiff_t>(kSize - 64));
    free(again);
}

TEST(ApiDeathTest, AnInteriorPointerIsReportedAndNothingIsCleared) {
    EXPECT_DEATH(
        {
            char* p = static_cast<char*>(malloc(256));
            hotlane_free_zeroed(p + 64);
        },
        "hotlane_free_zeroed\\(0x[0-9a-f]+\\): not the start of an object");
    EXPECT_DEATH(hotlane_free_zeroed(&errno), "not a pointer handed out by malloc");
}

TEST(Api, AFlushedThreadFindsItsObjectsInTheDepot) {
    void* p = malloc(320);
    const auto freed = reinterpret_cast<uintptr_t>(p);
    free(p);
    hotlane_thread_flush();
    std::vector<void*> found;
    const auto newest = [&found] { return reinterpret_cast<uintptr_t>(found.back()); };
    for (int i = 0; i < 64 && (found.empty() || newest() != freed); ++i) {
        found.push_back(malloc(320));
    }
    EXPECT_EQ(newest(), freed);
    std::for_each(found.begin(), found.end(), free);
}

}  // namespace
