// SPDX-License-Identifier: MIT
// Thread churn: short-lived threads, some at a time. Each allocates and frees mixed small objects and leaves
// a few for the next one. This shows what a thread costs to start and end.
#include "common/workload.h"

#include <array>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kLive = 64;
using Legacy = std::array<bench::Block, kLive>;

void live_briefly(Legacy& legacy, std::uint64_t requests, std::uint64_t seed) {
    bench::Rng random(seed);
    for (std::uint64_t i = 0; i < requests; ++i) {
        legacy[random.below(kLive)].replace(random.log_uniform(4, 12));
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "threads that live for a thousand requests");
    const auto at_once = arguments.number("threads", 4, "threads alive at once");
    const auto generations = arguments.work("generations", 4000, "sets of threads, one after another");
    const auto requests = arguments.number("requests", 1000, "requests of a thread");
    arguments.finish();

    const bench::Stopwatch watch;
    std::vector<Legacy> legacies(at_once);
    std::vector<std::jthread> workers;
    for (std::uint64_t g = 0; g < generations; ++g) {
        for (std::uint64_t t = 0; t < at_once; ++t) {
            workers.emplace_back(live_briefly, std::ref(legacies[t]), requests, g * at_once + t);
        }
        workers.clear();
    }
    std::uint64_t bytes = 0;
    for (Legacy& legacy : legacies) {
        for (bench::Block& block : legacy) {
            bytes += block.bytes;
            block.release();
        }
    }
    return bench::report(arguments.program(), at_once * generations * requests, watch.seconds(), bytes);
}
