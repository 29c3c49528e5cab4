// SPDX-License-Identifier: MIT
//
// Addresses in the middle of what a process can have.
// Knows nothing of who lives there.
// Called through quiet_addresses.h.
//
// Linux puts programs and their heaps above two thirds of the 2^47 bytes, mappings and stacks below the end,
// or (with an unlimited stack) mappings above one third. So the first room begins between 48 and 80 TiB,
// chosen by chance in steps of 2 MiB: 24 bits. The others follow it; they end before the programs begin.
#include "platform/quiet_addresses.h"

#include "platform/os.h"

#include <atomic>

namespace hotlane {

namespace {

constexpr uintptr_t kTiB = 1024 * GiB;
constexpr uintptr_t kFirst = 48 * kTiB;
constexpr uintptr_t kChoice = 32 * kTiB;
constexpr uintptr_t kEnd = 85 * kTiB;  // programs begin at 85.3

constinit std::atomic<uintptr_t> next_place{0};

}  // namespace

uintptr_t quiet_address(size_t room) {
    const size_t taken = round_up(room, kHugePageSize) + kHugePageSize;
    // Orders nothing: a number each.
    uintptr_t seen = next_place.load(std::memory_order_relaxed);
    uintptr_t place = 0;
    do {
        const bool fits = seen != 0 && seen + taken <= kEnd;
        place = fits ? seen : kFirst + os::random_word() % (kChoice / kHugePageSize) * kHugePageSize;
    } while (!next_place.compare_exchange_weak(seen, place + taken, std::memory_order_relaxed));
    return place;
}

}  // namespace hotlane
