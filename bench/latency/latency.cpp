// SPDX-License-Identifier: MIT
// Measures how long single calls take, in ticks of the time-stamp counter: malloc and free separately when
// they hit, and pairs in a mix of sizes after a warm-up. Also measures an empty interval, for comparison.
#include "common/workload.h"
#include "floor/empty.h"
#include "platform/time/fenced_tsc.h"

#include <numeric>
#include <vector>

namespace {

// Exact up to kExact ticks; above that, only the count and the greatest value are kept. This is enough for
// every percentile that is not an outlier. Many processors count in steps of some tens of ticks, so a
// percentile is only known to one step. `typical`, the mean of all but the last hundredth, is finer, because
// a call begins at a random point within a step.
class Histogram {
  public:
    void add(std::uint64_t ticks) {
        ++counts_[ticks < kExact ? ticks : kExact];
        ++total_;
        greatest_ = ticks > greatest_ ? ticks : greatest_;
    }

    std::uint64_t percentile(double share) const {
        const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::uint64_t ticks = 0; ticks < kExact; ++ticks) {
            seen += counts_[ticks];
            if (seen > wanted) {
                return ticks;
            }
        }
        return greatest_;
    }

    double typical() const {
        auto left = static_cast<std::uint64_t>(0.99 * static_cast<double>(total_));
        const double wanted = static_cast<double>(left);
        double sum = 0;
        for (std::uint64_t ticks = 0; ticks < kExact && left > 0; ++ticks) {
            const std::uint64_t taken = counts_[ticks] < left ? counts_[ticks] : left;
            sum += static_cast<double>(ticks) * static_cast<double>(taken);
            left -= taken;
        }
        return sum / wanted;
    }

    // The step in which the counter counts: all readings are multiples of it.
    std::uint64_t step() const {
        std::uint64_t divisor = 0;
        for (std::uint64_t ticks = 1; ticks < kExact; ++ticks) {
            divisor = counts_[ticks] > 0 ? std::gcd(divisor, ticks) : divisor;
        }
        return divisor;
    }

    void print(const char* what, const Histogram& empty) const {
        const auto over = [&](double share) {
            return static_cast<long long>(percentile(share)) -
                   static_cast<long long>(empty.percentile(share));
        };
        std::printf(
            "what=%s step=%llu typical=%.1f p50=%llu p90=%llu p99=%llu p99.9=%llu max=%llu over_typical=%.1f "
            "over_p50=%lld over_p99=%lld\n",
            what, unsigned_of(step()), typical(), unsigned_of(percentile(0.5)), unsigned_of(percentile(0.9)),
            unsigned_of(percentile(0.99)), unsigned_of(percentile(0.999)), unsigned_of(greatest_),
            typical() - empty.typical(), over(0.5), over(0.99));
    }

  private:
    static constexpr std::uint64_t kExact = 1 << 16;

    static unsigned long long unsigned_of(std::uint64_t value) { return value; }

    // Written once before measuring, so that page faults of the histogram itself are not measured.
    std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(kExact + 1, 0);
    std::uint64_t total_ = 0;
    std::uint64_t greatest_ = 0;
};

constexpr int kHeld = 16;

void measure_empty(Histogram& empty, std::uint64_t rounds) {
    for (std::uint64_t i = 0; i < rounds * kHeld; ++i) {
        const std::uint64_t start = hotlane::ticks_before();
        empty.add(hotlane::ticks_after() - start);
    }
}

// A call through the PLT that does nothing: the lower bound for any malloc.
void measure_call(Histogram& calls, std::uint64_t rounds) {
    for (std::uint64_t i = 0; i < rounds * kHeld; ++i) {
        const std::uint64_t start = hotlane::ticks_before();
        void* object = empty_take(i);
        calls.add(hotlane::ticks_after() - start);
        asm volatile("" : : "r"(object));
    }
}

void measure_hits(Histogram& takes, Histogram& releases, std::size_t bytes, std::uint64_t rounds) {
    void* held[kHeld];
    for (std::uint64_t round = 0; round < rounds; ++round) {
        for (void*& object : held) {
            const std::uint64_t start = hotlane::ticks_before();
            object = std::malloc(bytes);
            takes.add(hotlane::ticks_after() - start);
            *static_cast<volatile char*>(object) = 1;
        }
        for (void* object : held) {
            const std::uint64_t start = hotlane::ticks_before();
            std::free(object);
            releases.add(hotlane::ticks_after() - start);
        }
    }
}

std::size_t mixed_size(bench::Rng& random) {
    return random.below(50) == 0 ? random.log_uniform(10, 15) : random.log_uniform(4, 10);
}

// One step frees an object and allocates another. Steps of the warm-up are not counted.
void measure_mixed(Histogram& pairs, std::uint64_t live, std::uint64_t warm_up, std::uint64_t steps) {
    bench::Rng random(1);
    std::vector<bench::Block> blocks(live);
    for (bench::Block& block : blocks) {
        block.replace(mixed_size(random));
    }
    for (std::uint64_t i = 0; i < warm_up + steps; ++i) {
        bench::Block& block = blocks[random.below(static_cast<std::uint32_t>(live))];
        const std::size_t bytes = mixed_size(random);
        bench::check_stamp(block.object, block.bytes);
        const std::uint64_t start = hotlane::ticks_before();
        std::free(block.object);
        block.object = std::malloc(bytes);
        const std::uint64_t ticks = hotlane::ticks_after() - start;
        if (i >= warm_up) {
            pairs.add(ticks);
        }
        block.bytes = bytes;
        bench::stamp(block.object, bytes);
    }
    for (bench::Block& block : blocks) {
        block.release();
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "ticks of malloc and of free");
    const auto rounds = arguments.work("rounds", 200000, "rounds of 16 takes and 16 frees");
    const auto bytes = arguments.number("bytes", 64, "bytes of an object that hits");
    const auto live = arguments.number("live", 10000, "live objects of the mix");
    const auto steps = arguments.work("steps", 5000000, "steps of the mix, after as many fifths to warm up");
    arguments.finish();

    Histogram empty;
    Histogram calls;
    Histogram takes;
    Histogram releases;
    Histogram pairs;
    measure_empty(empty, rounds / 10 + 1);
    measure_hits(takes, releases, bytes, rounds / 10 + 1);
    empty = takes = releases = Histogram();
    measure_empty(empty, rounds);
    measure_call(calls, rounds);
    measure_hits(takes, releases, bytes, rounds);
    measure_mixed(pairs, live, steps / 5, steps);
    empty.print("empty", empty);
    calls.print("empty_call", empty);
    takes.print("malloc", empty);
    releases.print("free", empty);
    pairs.print("mixed_pair", empty);
    return 0;
}
