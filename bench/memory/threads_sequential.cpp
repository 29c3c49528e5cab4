// SPDX-License-Identifier: MIT
// Measures what ended threads leave behind: ten thousand threads run one after another, each with a thousand
// random requests. Resident memory must be flat after the first hundred.
#include "common/usage.h"
#include "common/workload.h"

#include <thread>

namespace {

void live(std::uint64_t seed) {
    constexpr std::uint32_t kLive = 64;
    bench::Rng random(seed);
    bench::Block blocks[kLive];
    for (int i = 0; i < 1000; ++i) {
        blocks[random.below(kLive)].replace(random.log_uniform(4, 14));
    }
    for (bench::Block& block : blocks) {
        block.release();
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "memory after many threads, one after another");
    const auto threads = arguments.work("threads", 10000, "threads, one after another");
    const auto settled = arguments.number("settled", 100, "threads after which memory has to be flat");
    arguments.finish();

    const bench::Stopwatch watch;
    std::uint64_t early = bench::resident_bytes();
    std::uint64_t most = 0;
    for (std::uint64_t t = 0; t < threads; ++t) {
        std::thread(live, t).join();
        if (t == settled) {
            early = bench::resident_bytes();
        } else if (t > settled && t % 500 == 0) {
            const std::uint64_t now = bench::resident_bytes();
            most = now > most ? now : most;
        }
    }
    const double seconds = watch.seconds();
    const std::uint64_t now = bench::resident_bytes();
    most = now > most ? now : most;
    std::printf("seconds=%.4f early_mib=%.2f growth_mib=%.2f\n", seconds, bench::mebibytes(early),
                bench::mebibytes(most) - bench::mebibytes(early));
    return 0;
}
