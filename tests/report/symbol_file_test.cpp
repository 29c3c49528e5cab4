// SPDX-License-Identifier: MIT
//
// Tests that the symbols and lines of this program are found in its own file.
#include "cli/symbols/symbol_file.h"

#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

extern "C" {
[[gnu::noinline, gnu::used]] int plain_name(int n) noexcept {
    asm volatile("");
    return n + 1;
}
/// A second name of the same function, like the internal names in libraries. It is shorter, so that only its
/// underscore makes it the worse name.
[[gnu::used]] int __own(int n) noexcept __attribute__((alias("plain_name")));
}

namespace hotlane::cli {
namespace {

/// The difference between addresses in memory and in this program's file.
uint64_t own_bias() {
    uint64_t bias = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* out) {
            *static_cast<uint64_t*>(out) = info->dlpi_addr;
            return 1;  // the program comes first
        },
        &bias);
    return bias;
}

uint64_t address_in_file() { return reinterpret_cast<uint64_t>(&plain_name) - own_bias(); }

TEST(SymbolFile, SaysTheNameThatIsKnownOutside) {
    const auto file = SymbolFile::open("/proc/self/exe");
    ASSERT_NE(file, nullptr);
    const std::vector<SourceFrame> frames = file->frames_at(address_in_file() + 1);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].function, "plain_name");
    EXPECT_FALSE(frames[0].inlined);
}

TEST(SymbolFile, KnowsWhereTheLoaderPutsAPlaceOfTheFile) {
    const auto file = SymbolFile::open("/proc/self/exe");
    ASSERT_NE(file, nullptr);
    uint64_t offset = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* out) {
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const ElfW(Phdr)& segment = info->dlpi_phdr[i];
                const uint64_t inside = address_in_file() - segment.p_vaddr;
                if (segment.p_type == PT_LOAD && inside < segment.p_filesz) {
                    *static_cast<uint64_t*>(out) = segment.p_offset + inside;
                }
            }
            return 1;
        },
        &offset);
    // The same code must be there in the file.
    unsigned char code[16];
    const int descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(pread(descriptor, code, sizeof code, static_cast<off_t>(offset)), ssize_t{sizeof code});
    close(descriptor);
    EXPECT_EQ(memcmp(code, reinterpret_cast<const void*>(&plain_name), sizeof code), 0);
    EXPECT_EQ(file->address_of(offset), address_in_file());
    EXPECT_FALSE(file->address_of(UINT64_MAX));
}

TEST(SymbolFile, KnowsNothingWhereNothingIs) {
    const auto file = SymbolFile::open("/proc/self/exe");
    ASSERT_NE(file, nullptr);
    EXPECT_TRUE(file->frames_at(1).empty());
    EXPECT_TRUE(file->frames_at(UINT64_MAX).empty());
}

TEST(SymbolFile, IsARegularElfFile) {
    EXPECT_EQ(SymbolFile::open("/nowhere"), nullptr);
    EXPECT_EQ(SymbolFile::open("/dev/zero"), nullptr);
    EXPECT_EQ(SymbolFile::open("/etc/passwd"), nullptr);
    EXPECT_EQ(SymbolFile::open("/"), nullptr);
}

}  // namespace
}  // namespace hotlane::cli
