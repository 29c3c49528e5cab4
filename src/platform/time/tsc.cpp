// SPDX-License-Identifier: MIT
//
// The time-stamp counter of x86-64, whose rate is measured once against CLOCK_MONOTONIC.
#include "platform/time/tsc.h"

#include "platform/os.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace hotlane::ticks {

namespace {

#if defined(__x86_64__)
uint64_t read_counter() { return __rdtsc(); }
/// Whether the rate is the same in every state of the processor ("invariant TSC", AMD64 manual,
/// volume 3, E.4.17).
bool counter_is_steady() {
    constexpr unsigned kPowerManagement = 0x80000007;
    constexpr unsigned kInvariantCounter = 1 << 8;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(kPowerManagement, &a, &b, &c, &d) != 0 && (d & kInvariantCounter) != 0;
}
#else
uint64_t read_counter() { return 0; }
bool counter_is_steady() { return false; }
#endif

constinit double ns_per_tick = 0;  // 0: CLOCK_MONOTONIC is read instead

}  // namespace

void set_up() {
    if (ns_per_tick != 0 || !counter_is_steady()) {
        return;
    }
    constexpr uint64_t kEnoughNs = 50'000;
    const uint64_t begin_ns = os::monotonic_ns();
    const uint64_t begin = read_counter();
    uint64_t passed_ns = 0;
    while (passed_ns < kEnoughNs) {
        passed_ns = os::monotonic_ns() - begin_ns;
    }
    ns_per_tick = static_cast<double>(passed_ns) / static_cast<double>(read_counter() - begin);
}

uint64_t now() { return ns_per_tick != 0 ? read_counter() : os::monotonic_ns(); }

uint64_t to_ns(uint64_t difference) {
    if (static_cast<int64_t>(difference) < 0) {
        return 0;
    }
    return ns_per_tick == 0 ? difference
                            : static_cast<uint64_t>(static_cast<double>(difference) * ns_per_tick);
}

}  // namespace hotlane::ticks
