// SPDX-License-Identifier: MIT
//
// The state of the current sampling session, and the random numbers for it.
#include "profiler/sampler.h"

#include "platform/os.h"

#include <atomic>

namespace hotlane::sampler {

namespace {

constinit std::atomic<uint64_t> current_period{1};
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<uint32_t> current_epoch{0};  // odd: a session is running
constinit std::atomic<uint64_t> guard_one_in{0};

constexpr uint64_t kGamma = 0x9E3779B97F4A7C15;
/// The seed of the next thread.
constinit std::atomic<uint64_t> next_seed{0};
/// A generator for each thread. A short-lived thread draws a number for each class; with a shared generator
/// it would wait for the cache line each time. 0: not seeded.
[[gnu::tls_model("initial-exec")]] constinit thread_local uint64_t random_state = 0;

/// SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"): mixes the bits
/// of a counter.
uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

uint64_t draw_random() {
    if (random_state == 0) [[unlikely]] {
        random_state = mixed(next_seed.fetch_add(kGamma, std::memory_order_relaxed));
    }
    return mixed(random_state += kGamma);
}

void seed() {
    next_seed.fetch_xor(os::monotonic_ns() * 0xD6E8FEB86659FD93 ^ static_cast<uint64_t>(os::process_id()));
}

}  // namespace

void start(uint64_t period) {
    seed();
    current_period.store(period, std::memory_order_relaxed);
    // Pairs with epoch(): a thread that sees the session also sees its period. The new epoch is odd and
    // differs from the previous one.
    current_epoch.store((current_epoch.load(std::memory_order_relaxed) + 1) | 1, std::memory_order_release);
}

void stop() {
    const uint32_t epoch = current_epoch.load(std::memory_order_relaxed);
    current_epoch.store(epoch + (epoch & 1), std::memory_order_release);
}

HOTLANE_IN_EVERY_PROCESS bool running() { return (epoch() & 1) != 0; }
uint64_t period() { return current_period.load(std::memory_order_relaxed); }
HOTLANE_IN_EVERY_PROCESS uint32_t epoch() { return current_epoch.load(std::memory_order_acquire); }

void start_guards(uint64_t one_in) {
    seed();
    guard_one_in.store(one_in, std::memory_order_relaxed);
    current_epoch.store(current_epoch.load(std::memory_order_relaxed) + 2, std::memory_order_release);
}

uint64_t draw_guard_gap() {
    const uint64_t one_in = guard_one_in.load(std::memory_order_relaxed);
    if (one_in == 0) {
        return kNoGuards;
    }
    // A geometric distribution with probability p is an exponential with mean -1 / ln(1 - p), rounded down.
    // For p = 1 / n that mean is about n - 1/2; the error is 4 % for n = 2, and less for larger n.
    const double mean = static_cast<double>(one_in) - 0.5;
    return one_in == 1 ? 0 : static_cast<uint64_t>(exponential(draw_random()) * mean);
}

uint64_t draw_gap(size_t object_size) {
    const uint64_t mean = period();
    return mean <= 1 ? 0 : gap(draw_random(), object_size, mean);
}
bool draw(size_t bytes) { return draw_gap(bytes) == 0; }
uint64_t weight(size_t bytes) { return weight_of_chance(chance(bytes, period())); }

}  // namespace hotlane::sampler
