// SPDX-License-Identifier: MIT
// Large blocks: a few are live, and each step frees one, allocates another of a random size, and fills it. A
// good allocator avoids page faults and returns memory at the right time. Blocks have 5–25 MiB (one thread)
// or 64 KiB–1 MiB (two threads).
#include "common/workload.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

struct Plan {
    std::uint64_t low;
    std::uint64_t high;
    std::uint64_t live;
    std::uint64_t replacements;
};

std::uint64_t churn(const Plan& plan, std::uint64_t seed) {
    bench::Rng random(seed);
    std::vector<bench::Block> blocks(plan.live);
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < plan.replacements; ++i) {
        bench::Block& block = blocks[random.below(static_cast<std::uint32_t>(plan.live))];
        const std::size_t wanted =
            random.between(static_cast<std::uint32_t>(plan.low), static_cast<std::uint32_t>(plan.high));
        block.release();
        block.object = bench::take(wanted);
        block.bytes = wanted;
        std::memset(block.object, static_cast<int>(i), wanted);
        bench::stamp(block.object, wanted);
        bytes += wanted;
    }
    for (bench::Block& block : blocks) {
        block.release();
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "random replacement of large blocks, filled after taking");
    const auto threads = arguments.number("threads", 1, "threads, each with its own live blocks");
    const auto low = arguments.number("low", 5ULL << 20, "least bytes of a block");
    const auto high = arguments.number("high", 25ULL << 20, "most bytes of a block");
    const auto live = arguments.number("live", 20, "live blocks of a thread");
    const auto replacements = arguments.work("replacements", 1000, "blocks replaced by each thread");
    arguments.finish();

    const bench::Stopwatch watch;
    std::atomic<std::uint64_t> bytes{0};
    std::vector<std::jthread> workers;
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] { bytes += churn(Plan{low, high, live, replacements}, t + 1); });
    }
    workers.clear();
    return bench::report(arguments.program(), threads * replacements, watch.seconds(), bytes);
}
