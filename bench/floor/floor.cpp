// SPDX-License-Identifier: MIT
// Times a pair of malloc and free that hits, beside two empty functions that are called in the same way. This
// shows how near an allocator is to the lowest possible cost. Both are timed in turns within one run, and the
// shortest of many short blocks counts. Linked to shared and to static libraries.
#include "common/workload.h"
#include "empty.h"
#include "platform/time/fenced_tsc.h"

namespace {

template <typename Take, typename Release>
std::uint64_t ticks_of_block(Take take, Release release, std::uint64_t pairs, std::size_t bytes) {
    const std::uint64_t start = hotlane::ticks_before();
    for (std::uint64_t i = 0; i < pairs; ++i) {
        void* object = take(bytes);
        // The compiler has to assume that the object is used between the two calls.
        asm volatile("" : "+r"(object)::"memory");
        release(object);
    }
    return hotlane::ticks_after() - start;
}

std::uint64_t least(std::uint64_t a, std::uint64_t b) { return a < b ? a : b; }

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "a malloc+free pair beside two empty calls");
    const auto blocks = arguments.work("blocks", 2000, "blocks timed");
    const auto pairs = arguments.number("pairs", 20000, "pairs in a block");
    const auto bytes = arguments.number("bytes", 64, "bytes of the object");
    arguments.finish();

    std::uint64_t empty = UINT64_MAX;
    std::uint64_t allocator = UINT64_MAX;
    for (std::uint64_t i = 0; i < blocks; ++i) {
        const auto empty_take_call = [](std::size_t n) { return empty_take(n); };
        const auto empty_release_call = [](void* p) { empty_release(p); };
        empty = least(empty, ticks_of_block(empty_take_call, empty_release_call, pairs, bytes));
        const auto take_call = [](std::size_t n) { return std::malloc(n); };
        const auto release_call = [](void* p) { std::free(p); };
        allocator = least(allocator, ticks_of_block(take_call, release_call, pairs, bytes));
    }
    const double scale = 1.0 / static_cast<double>(pairs);
    std::printf("empty_ticks=%.2f pair_ticks=%.2f ratio=%.3f\n", static_cast<double>(empty) * scale,
                static_cast<double>(allocator) * scale,
                static_cast<double>(allocator) / static_cast<double>(empty));
    return 0;
}
