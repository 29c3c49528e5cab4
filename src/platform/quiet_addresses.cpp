// SPDX-License-Identifier: MIT
//
// Chooses addresses in the middle of the address space of a process.
//
// Linux puts programs and their heaps above two thirds of the 2^47 bytes, and mappings and stacks below the
// end. With an unlimited stack, it puts mappings above one third. So the first room begins between 48 and 80
// TiB, at random in steps of 2 MiB, which is 24 bits. The other rooms follow it, below the programs.
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
    // Relaxed: each call only needs a number of its own.
    uintptr_t seen = next_place.load(std::memory_order_relaxed);
    uintptr_t place = 0;
    do {
        const bool fits = seen != 0 && seen + taken <= kEnd;
        place = fits ? seen : kFirst + os::random_word() % (kChoice / kHugePageSize) * kHugePageSize;
    } while (!next_place.compare_exchange_weak(seen, place + taken, std::memory_order_relaxed));
    return place;
}

}  // namespace hotlane
