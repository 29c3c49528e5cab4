// SPDX-License-Identifier: MIT
// Mixed sizes over a random live set: each step frees one randomly chosen object of the set and allocates
// another. The number of live objects decides whether caches, the TLB or memory dominate: 1 K, 100 K and 5 M
// objects.
#include "common/workload.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

// Nine in ten are small, and one in a hundred has kilobytes. Most programs have such a mix.
std::size_t size_of_request(bench::Rng& random) {
    const std::uint32_t dice = random.below(100);
    if (dice < 90) {
        return random.log_uniform(4, 8);
    }
    return dice < 99 ? random.log_uniform(8, 11) : random.log_uniform(11, 15);
}

std::uint64_t churn(std::uint64_t live, std::uint64_t replacements, std::uint64_t seed) {
    bench::Rng random(seed);
    std::uint64_t bytes = 0;
    std::vector<bench::Block> blocks(live);
    for (bench::Block& block : blocks) {
        block.replace(size_of_request(random));
    }
    for (std::uint64_t i = 0; i < replacements; ++i) {
        bench::Block& victim = blocks[random.below(static_cast<std::uint32_t>(live))];
        victim.replace(size_of_request(random));
        bytes += victim.bytes;
    }
    for (bench::Block& block : blocks) {
        block.release();
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "random replacement in a live set of mixed sizes");
    const auto threads = arguments.number("threads", 2, "threads, each with its share of the live set");
    const auto live = arguments.number("live", 100000, "live objects, over all threads");
    const auto operations = arguments.work("operations", 20000000, "replacements, over all threads");
    arguments.finish();

    const bench::Stopwatch watch;
    std::atomic<std::uint64_t> bytes{0};
    std::vector<std::jthread> workers;
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] { bytes += churn(live / threads + 1, operations / threads + 1, t + 1); });
    }
    workers.clear();
    return bench::report(arguments.program(), operations + live, watch.seconds(), bytes);
}
