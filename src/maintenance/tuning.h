// SPDX-License-Identifier: MIT
//
// The tuning decisions of the tiers (how many objects, and when) as pure functions of plain numbers.
#pragma once

#include "base/base.h"

#include <algorithm>
#include <bit>

namespace hotlane::tuning {

/// The most objects a lane can hold: 256 slots minus the nullptr that means "empty" and the class's record.
inline constexpr uint32_t kMostSlots = 240;

/// The most objects of `object_size` bytes that a thread may keep: as many as fit in `budget` bytes, but at
/// least 8, so that the lane still works as a cache.
constexpr uint32_t largest_capacity(size_t object_size, size_t budget) {
    constexpr size_t kLeast = 8;
    return static_cast<uint32_t>(std::clamp<size_t>(budget / object_size, kLeast, kMostSlots));
}

/// The same for a limit that was given for this class: the least is 2.
constexpr uint32_t listed_capacity(size_t object_size, size_t limit) {
    return static_cast<uint32_t>(std::clamp<size_t>(limit / object_size, 2, kMostSlots));
}

/// The capacity with which a lane keeps a swing: what overflows it, comes back and runs dry again. Refills and
/// flushes move half of the capacity, so the number of objects in circulation changes in such steps. Twice the
/// swing leaves room for a step, and so the number settles.
constexpr uint32_t capacity_for_swing(uint32_t swing) { return std::min(2 * swing, kMostSlots); }

/// Up to what total the lanes of a thread grow, given what each class may keep: 1 MiB by default. A lane that was too small
/// for its swing grows up to 4 MiB, because it would overflow and run dry again and again.
constexpr size_t total_budget(size_t budget, bool is_too_small) { return (is_too_small ? 64 : 16) * budget; }

/// With HOTLANE_THREAD_CACHE=auto: what a class may keep before its swing is known, and all lanes of a thread
/// together.
inline constexpr size_t kAutomaticBytes = 64 * KiB;
inline constexpr size_t kAutomaticTotalBytes = 8 * MiB;

/// The capacity of a new lane. It starts small: rare use of a class must not cost a full cache.
constexpr uint32_t first_capacity(size_t object_size, uint32_t largest) {
    constexpr size_t kFirstBytes = 8 * KiB;
    const size_t wanted = std::clamp<size_t>(kFirstBytes / object_size, 2, 32);
    return std::min(static_cast<uint32_t>(wanted), largest);
}

/// The capacity after a miss or an overflow: twice as much, up to `largest`.
constexpr uint32_t grown_capacity(uint32_t capacity, uint32_t largest) {
    return std::min(capacity * 2, largest);
}

/// How many objects a refill takes: half of the capacity. The other half is left for frees.
constexpr uint32_t refill_count(uint32_t capacity) { return std::max(capacity / 2, 1U); }

/// How many objects a refill takes from spans. At first no more than the thread has taken so far, because it may never use
/// the second half: what it leaves would lie between its objects and those of the next thread, so that both touch more OS
/// pages.
constexpr uint32_t refill_from_spans_count(uint32_t capacity, uint64_t taken) {
    const uint32_t half = refill_count(capacity);
    return taken == 0 ? half : static_cast<uint32_t>(std::min<uint64_t>(half, taken));
}

/// The most objects that a refill takes from a shelf. If the thread freed none since its last refill, it will use up what
/// it gets, and needs no room for frees.
constexpr uint32_t most_from_shelf(uint32_t capacity, bool frees_none) {
    return frees_none ? capacity : refill_count(capacity);
}

/// How many objects a flush takes from the older end of the lane. If the thread allocated none since its last flush, it
/// needs only a few.
constexpr uint32_t flush_count(uint32_t level, bool allocates_none) {
    const uint32_t kept = std::min(level / 8, 16U);
    return allocates_none ? level - kept : (level + 1) / 2;
}

/// The least that a shelf may keep, in objects.
inline constexpr uint32_t kLeastShare = 16;

/// How many free objects all shelves of a class keep before the oldest go back to their spans: 256 KiB, or a thirty-second
/// of what is in use.
constexpr uint32_t shelves_capacity(size_t object_size, size_t used_bytes) {
    constexpr size_t kLeastBytes = 256 * KiB;
    const size_t bytes = std::max(kLeastBytes, used_bytes / 32);
    return static_cast<uint32_t>(std::max<size_t>(bytes / object_size, kLeastShare));
}

/// What each of the shelves may keep, however much the others have. It may keep more if they have less.
constexpr uint32_t shelf_share(uint32_t capacity, uint32_t shelves) {
    // Every flush asks, and a division takes as long as an atomic operation.
    const bool is_power_of_two = (shelves & (shelves - 1)) == 0;
    const uint32_t share =
        is_power_of_two ? capacity >> std::countr_zero(shelves) : capacity / std::max(shelves, 1U);
    return std::max(share, kLeastShare);
}

/// At least so many processors share the partial spans of a class. More stores would leave more spans partial.
inline constexpr uint32_t kProcessorsOfStore = 4;
static_assert(std::has_single_bit(kProcessorsOfStore));

/// How many objects of a shelf may go back to their spans: those that were never needed during an interval.
/// This is the working set of Bonwick & Adams 2001, "Magazines and Vmem".
constexpr uint32_t reap_count(uint32_t least_held, uint32_t held) { return std::min(least_held, held); }

/// How many pops until a thread polls again, given that the last `pops` pops took `elapsed_ns`. Aims at one
/// poll in 1 to 16 milliseconds: that costs a busy thread almost nothing, and a quiet thread still drives the
/// purge.
constexpr uint64_t next_poll(uint64_t pops, uint64_t elapsed_ns) {
    constexpr uint64_t kMost = 1024;  // a poll takes as long as ten pops
    if (elapsed_ns < 4'000'000) {
        return std::min(pops * 2, kMost);
    }
    return elapsed_ns > 16'000'000 ? std::max<uint64_t>(pops / 16, 1) : pops;
}

/// How many gets of a pool pass, on average, until the library looks at it again, given that the last
/// `interval` gets took `elapsed_ns`. Aims at one look in 1 to 16 milliseconds. A look takes as long as
/// twenty gets.
constexpr uint32_t next_look(uint32_t interval, uint64_t elapsed_ns) {
    constexpr uint32_t kMost = 8192;
    if (elapsed_ns < 1'000'000) {
        return std::min(interval * 2, kMost);
    }
    return elapsed_ns > 16'000'000 ? std::max(interval / 16, 1U) : interval;
}

/// How many gets pass until the next look: between half and one and a half of `interval`, chosen by
/// `random`, so that the looks do not fall into step with a program that repeats the same gets.
constexpr uint64_t random_countdown(uint32_t interval, uint64_t random) {
    return interval / 2 + random % interval;
}

/// Whether to flush before growth: whether the region, which uses `used_pages` and of which `fresh_pages` became
/// resident since the last flush, should first get back the free objects on the shelves and in the calling thread's
/// cache. A few objects in many spans can pin much memory. The flush costs less than the page faults of 1 MiB. In a
/// large heap it takes longer and finds more, so it comes less often.
constexpr bool flush_before_growth(size_t fresh_pages, size_t used_pages) {
    constexpr size_t kLeastPages = 1 * MiB / kRegionPageSize;
    return fresh_pages >= std::max(kLeastPages, used_pages / 32);
}

/// How many free pages may hold memory when more pages become resident, beside `span_pages` in spans and `block_pages`
/// in the fallback's blocks. A program that frees and allocates blocks of many megabytes needs a quarter of them. But near
/// `peak_pages`, the most pages that were in use of late, what is kept adds to the peak of the process.
constexpr size_t dirty_budget(size_t span_pages, size_t block_pages, size_t peak_pages) {
    const size_t below_peak = peak_pages - span_pages - block_pages;
    return std::min(span_pages / 8 + block_pages / 4, below_peak + peak_pages / 8) +
           4 * MiB / kRegionPageSize;
}

/// Objects above this size do not lie in 2-MiB pages: they leave parts of their memory untouched.
inline constexpr size_t kLargestInHugePages = 2 * KiB;

/// How many times 2 MiB the region adds for one use at once, if it has `huge_pages`: up to 32 MiB.
constexpr size_t huge_pages_at_once(size_t huge_pages) { return std::clamp<size_t>(huge_pages / 16, 1, 16); }

/// Ticks per purge delay. A page is returned between 1 and 1 1/8 delays after it became free.
inline constexpr uint8_t kTicksPerPurgeDelay = 8;

/// How long after a part of a maintenance pass the next part is due, given the time between two passes: so soon that
/// all is done within an interval, and so late that it takes a small share of the time.
constexpr uint64_t pause_before_rest(uint64_t interval_ns) { return std::max<uint64_t>(interval_ns / 32, 1); }

/// How many bytes a part of a pass that is `late_ns` late may return to the kernel, which takes about half a millisecond
/// for 6 MiB. A process that polls seldom has to do more at once.
constexpr size_t most_to_purge(uint64_t late_ns, uint64_t pause_ns) {
    constexpr uint64_t kMost = 1'000'000;  // no limit in effect, and no overflow
    return 6 * MiB * (1 + std::min(late_ns / pause_ns, kMost));
}

/// Whether to split a 2-MiB page that the kernel was asked for, to purge its free part: if at least three
/// quarters are free, and have been for an eighth longer than a whole 2-MiB page has to be.
constexpr bool worth_splitting(uint32_t free_pages, uint32_t pages) { return free_pages * 4 >= pages * 3; }
constexpr uint8_t splitting_age(uint8_t age) { return static_cast<uint8_t>(age + age / 8); }

}  // namespace hotlane::tuning
