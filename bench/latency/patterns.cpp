// SPDX-License-Identifier: MIT
// Measures pairs of malloc and free in loops of seven patterns, in ticks of the time-stamp counter. In such a loop, an
// allocation may have to wait for what the last free wrote. The figure of a pattern is the first decile of many short
// rounds, which other processes and interrupts disturb least.
#include "common/workload.h"
#include "platform/time/fenced_tsc.h"

#include <algorithm>
#include <array>
#include <new>
#include <sched.h>
#include <vector>

namespace {

constexpr int kPairs = 20'000;  // of a round
constexpr std::size_t kSize = 64;
constexpr std::size_t kOtherSize = 300;
constexpr std::size_t kBurst = 32;
constexpr std::size_t kLive = 256;  // objects of `mixed`

void use(void* p) { asm volatile("" : : "r"(p) : "memory"); }

/// Random sizes from 1 to 1,024, the same in each run.
class Sizes {
  public:
    Sizes() {
        bench::Rng random{1};
        for (std::uint32_t& number : numbers_) {
            number = static_cast<std::uint32_t>(random.next());
        }
    }
    std::size_t size(int i) const { return 1 + (number(i) & 1023); }
    std::size_t place(int i) const { return number(i) >> 16 & (kLive - 1); }

  private:
    std::uint32_t number(int i) const { return numbers_[static_cast<std::size_t>(i) % numbers_.size()]; }

    std::array<std::uint32_t, 4096> numbers_{};
};

void tight_pair(const Sizes& /*sizes*/) {
    for (int i = 0; i < kPairs; ++i) {
        void* const p = std::malloc(kSize);
        use(p);
        std::free(p);
    }
}

/// Frees in the order of the allocations, or in the opposite one.
template <bool kReversed>
void bursts(const Sizes& /*sizes*/) {
    std::array<void*, kBurst> held;
    for (int i = 0; i < kPairs / static_cast<int>(kBurst); ++i) {
        for (void*& p : held) {
            p = std::malloc(kSize);
        }
        use(held.data());
        for (std::size_t k = 0; k < kBurst; ++k) {
            std::free(held[kReversed ? kBurst - 1 - k : k]);
        }
    }
}

void mixed(const Sizes& sizes) {
    static std::array<void*, kLive> live;  // from round to round
    for (int i = 0; i < kPairs; ++i) {
        void*& p = live[sizes.place(i)];
        std::free(p);
        p = std::malloc(sizes.size(i));
    }
}

void two_sizes(const Sizes& /*sizes*/) {
    for (int i = 0; i < kPairs / 2; ++i) {
        void* const p = std::malloc(kSize);
        void* const q = std::malloc(kOtherSize);
        use(p);
        std::free(p);
        use(q);
        std::free(q);
    }
}

void random_sizes(const Sizes& sizes) {
    for (int i = 0; i < kPairs; ++i) {
        void* const p = std::malloc(sizes.size(i));
        use(p);
        std::free(p);
    }
}

void new_and_sized_delete(const Sizes& /*sizes*/) {
    for (int i = 0; i < kPairs; ++i) {
        void* const p = ::operator new(kSize);
        use(p);
        ::operator delete(p, kSize);
    }
}

double first_decile(void (*pattern)(const Sizes&), const Sizes& sizes, std::uint64_t rounds) {
    std::vector<double> ticks(rounds);
    for (double& of_round : ticks) {
        const std::uint64_t begin = hotlane::ticks_before();
        pattern(sizes);
        of_round = static_cast<double>(hotlane::ticks_after() - begin) / kPairs;
    }
    const auto decile = ticks.begin() + static_cast<std::ptrdiff_t>(ticks.size() / 10);
    std::nth_element(ticks.begin(), decile, ticks.end());
    return *decile;
}

/// A round must not move to a processor with other contents in its caches.
void stay_on_this_processor() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments{argc, argv, "ticks of a pair of malloc and free in loops of seven patterns"};
    const std::uint64_t rounds = arguments.work("rounds", 200, "rounds of each pattern");
    arguments.finish();
    stay_on_this_processor();

    struct Pattern {
        const char* name;
        void (*run)(const Sizes&);
    };
    constexpr Pattern kPatterns[] = {{"tight", tight_pair},
                                     {"burst_reversed", bursts<true>},
                                     {"burst_in_order", bursts<false>},
                                     {"mixed", mixed},
                                     {"two_sizes", two_sizes},
                                     {"random", random_sizes},
                                     {"sized_delete", new_and_sized_delete}};
    const Sizes sizes;
    for (const Pattern& pattern : kPatterns) {
        std::printf("what=%s pair=%.2f\n", pattern.name, first_decile(pattern.run, sizes, rounds));
    }
    return 0;
}
