// SPDX-License-Identifier: MIT
//
// Tests the functions that read this process's memory without faulting.
#include "platform/safe_read.h"

#include "platform/os.h"

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace hotlane;

TEST(Inspect, CopiesWhatIsReadable) {
    const char text[] = "some text";
    char copy[sizeof text] = {};
    ASSERT_TRUE(inspect::read_memory(address_of(text), copy, sizeof copy));
    EXPECT_STREQ(copy, text);
}

TEST(Inspect, RefusesWhatIsNotAndKeepsErrno) {
    void* half =
        mmap(nullptr, 2 * os::page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(half, MAP_FAILED);
    ASSERT_EQ(mprotect(static_cast<char*>(half) + os::page_size(), os::page_size(), PROT_NONE), 0);
    const uintptr_t border = address_of(half) + os::page_size();
    char copy[16];
    errno = 77;
    EXPECT_TRUE(inspect::read_memory(border - sizeof copy, copy, sizeof copy));
    EXPECT_FALSE(inspect::read_memory(border - 8, copy, sizeof copy));
    EXPECT_FALSE(inspect::read_memory(border, copy, sizeof copy));
    EXPECT_FALSE(inspect::read_memory(0, copy, sizeof copy));
    EXPECT_FALSE(inspect::read_memory(UINTPTR_MAX - 15, copy, sizeof copy));
    EXPECT_EQ(errno, 77);
    munmap(half, 2 * os::page_size());
}

TEST(Inspect, PagesAreReadableUpToTheFirstThatIsNot) {
    constexpr size_t kPages = 150;  // more than one call checks
    void* pages = mmap(nullptr, kPages * os::page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(pages, MAP_FAILED);
    const uintptr_t begin = address_of(pages);
    const uintptr_t last = begin + (kPages - 1) * os::page_size();
    ASSERT_EQ(mprotect(pointer_to(last), os::page_size(), PROT_NONE), 0);
    errno = 77;
    EXPECT_TRUE(inspect::is_readable(begin, last));
    EXPECT_TRUE(inspect::is_readable(begin + 5, begin + 6));
    EXPECT_TRUE(inspect::is_readable(last, last));
    EXPECT_FALSE(inspect::is_readable(begin, last + 1));
    EXPECT_FALSE(inspect::is_readable(last - 1, last + 1));
    EXPECT_EQ(errno, 77);
    munmap(pages, kPages * os::page_size());
}

}  // namespace
