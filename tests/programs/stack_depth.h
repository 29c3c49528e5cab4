// SPDX-License-Identifier: MIT
// Measures how deep a function uses the stack that it runs on.
#pragma once

#include <stddef.h>
#include <string.h>

// Runs `body` on a stack whose lowest byte is `*stack`, and returns how many bytes of it were used below this function.
[[gnu::noinline]] inline ptrdiff_t stack_depth_of(void (*body)(), unsigned char* stack) {
    constexpr unsigned char kUntouched = 0xA7;
    constexpr size_t kOurFrame = 512;
    auto* const top = static_cast<unsigned char*>(__builtin_frame_address(0)) - kOurFrame;
    memset(stack, kUntouched, static_cast<size_t>(top - stack));
    body();
    const unsigned char* lowest = stack;
    while (*lowest == kUntouched) {
        ++lowest;
    }
    return top - lowest;
}
