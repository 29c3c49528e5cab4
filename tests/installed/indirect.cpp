// SPDX-License-Identifier: MIT
//
// A program that allocates through the C++ library alone: it refers to no name of malloc's itself, and has
// hotlane all the same. Built and run by check_installed.py.
#include <cstdint>
#include <cstdio>
#include <string>

int main(int count, char**) {
    const std::string text(static_cast<std::size_t>(count) * 100, 'x');
    if (reinterpret_cast<std::uintptr_t>(text.data()) % 64 != 0) {
        std::puts("not hotlane's");
        return 1;
    }
    std::puts("all of malloc is hotlane's");
}
