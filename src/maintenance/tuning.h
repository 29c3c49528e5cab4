// SPDX-License-Identifier: MIT
//
// How many, and when: every decision of the tiers as arithmetic on plain numbers, without side effects.
// Knows nothing of who asks.
// Called by thread cache, depot and upkeep; tested by calling it.
#pragma once

#include "base/base.h"

#include <algorithm>
#include <bit>

namespace hotlane::tuning {

/// The most objects a lane can hold: 256 slots, less the nullptr that means "empty" and the class's record.
inline constexpr uint32_t kMostSlots = 240;

/// The most objects of `object_size` bytes a thread may keep, within `budget` bytes, but enough to be a
/// cache.
constexpr uint32_t largest_capacity(size_t object_size, size_t budget) {
    constexpr size_t kLeast = 8;
    return static_cast<uint32_t>(std::clamp<size_t>(budget / object_size, kLeast, kMostSlots));
}

/// Slow start: a thread that uses a class once or twice must not pay for a full cache.
constexpr uint32_t first_capacity(size_t object_size, size_t budget) {
    constexpr size_t kFirstBytes = 8 * KiB;
    const size_t wanted = std::clamp<size_t>(kFirstBytes / object_size, 2, 32);
    return std::min(static_cast<uint32_t>(wanted), largest_capacity(object_size, budget));
}

/// After a miss or an overflow: twice as much, up to the largest.
constexpr uint32_t grown_capacity(uint32_t capacity, uint32_t largest) {
    return std::min(capacity * 2, largest);
}

/// How many objects a refill brings: half, so that as many frees fit before the next flush.
constexpr uint32_t refill_count(uint32_t capacity) { return std::max(capacity / 2, 1U); }

/// How many objects a flush takes away, from the older end.
constexpr uint32_t flush_count(uint32_t level) { return (level + 1) / 2; }

inline constexpr uint32_t kMostInRing = 4096;

/// How many free objects of a class the threads of a processor may exchange before they go back to their
/// spans.
constexpr uint32_t ring_capacity(size_t object_size) {
    constexpr size_t kRingBytes = 256 * KiB;
    return static_cast<uint32_t>(std::clamp<size_t>(kRingBytes / object_size, 16, kMostInRing));
}

/// How many slots such a ring needs: a power of two, and room for what a thread gives back at once.
constexpr uint32_t ring_slots(uint32_t capacity) { return std::bit_ceil(std::max(capacity, kMostSlots)); }

/// Working set (Bonwick & Adams 2001, "Magazines and Vmem"): what was never needed during an interval may go.
constexpr uint32_t reap_count(uint32_t least_held, uint32_t held) { return std::min(least_held, held); }

/// How many pops until a thread looks at the clock again, given how long the last so many took. Aims at one
/// look in one to sixteen milliseconds: a busy thread does not notice, and a quiet one still drives the
/// purge.
constexpr uint64_t next_poll(uint64_t pops, uint64_t elapsed_ns) {
    constexpr uint64_t kMost = 1024;  // a look takes as long as ten pops
    if (elapsed_ns < 4'000'000) {
        return std::min(pops * 2, kMost);
    }
    return elapsed_ns > 16'000'000 ? std::max<uint64_t>(pops / 16, 1) : pops;
}

/// Whether the region, having grown by so many pages since the last time, should first get back what lies
/// free in rings and in the asking thread's cache: few objects of many spans can pin much memory. Looking
/// through it all costs less than the page faults of 4 MiB.
constexpr bool flush_before_growth(size_t grown_pages) {
    constexpr size_t kLeastPages = 64;
    return grown_pages >= kLeastPages;
}

/// Ticks per purge delay: what became free is returned between one and one and an eighth delays later.
inline constexpr uint8_t kTicksPerPurgeDelay = 8;

/// Where the kernel was asked for 2-MiB pages, the free part of one is worth splitting it for when it is most
/// of it, and has been free for an eighth longer than a whole one would have to be.
constexpr bool worth_splitting(uint32_t free_pages, uint32_t pages) { return free_pages * 4 >= pages * 3; }
constexpr uint8_t splitting_age(uint8_t age) { return static_cast<uint8_t>(age + age / 8); }

}  // namespace hotlane::tuning
