// SPDX-License-Identifier: MIT
// calloc-heavy: tables and buffers that must be zeroed are allocated, written and freed. An allocator need
// not clear memory that it knows to be fresh, but must clear memory that was used. The workload checks that
// all of it is zero.
#include "common/workload.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kStride = 64;

void check_zero(const unsigned char* bytes, std::size_t count) {
    unsigned seen = bytes[count - 1];
    for (std::size_t i = 0; i < count; i += kStride) {
        seen |= bytes[i];
    }
    if (seen != 0) {
        bench::broken("calloc gave memory that is not zero", bytes, count);
    }
}

std::uint64_t churn(std::uint64_t live, std::uint64_t operations, std::uint64_t seed) {
    bench::Rng random(seed);
    std::uint64_t total = 0;
    std::vector<unsigned char*> blocks(live, nullptr);
    for (std::uint64_t i = 0; i < operations; ++i) {
        unsigned char*& block = blocks[random.below(static_cast<std::uint32_t>(live))];
        std::free(block);
        // One in sixty-four is a table of up to half a megabyte; the rest are records.
        const std::size_t bytes =
            random.below(64) == 0 ? random.log_uniform(14, 19) : random.log_uniform(4, 12);
        block = static_cast<unsigned char*>(std::calloc(bytes / 8, 8));
        if (block == nullptr) {
            bench::broken("calloc gave null", block, bytes);
        }
        check_zero(block, bytes / 8 * 8);
        std::memset(block, 0xA5, bytes / 8 * 8);
        total += bytes;
    }
    for (unsigned char* block : blocks) {
        std::free(block);
    }
    return total;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "calloc of records and tables");
    const auto threads = arguments.number("threads", 2, "threads");
    const auto live = arguments.number("live", 2000, "live blocks of a thread");
    const auto operations = arguments.work("operations", 6000000, "blocks taken by each thread");
    arguments.finish();

    const bench::Stopwatch watch;
    std::atomic<std::uint64_t> bytes{0};
    std::vector<std::jthread> workers;
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] { bytes += churn(live, operations, t + 1); });
    }
    workers.clear();
    return bench::report(arguments.program(), threads * operations, watch.seconds(), bytes);
}
