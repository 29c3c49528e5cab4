// SPDX-License-Identifier: MIT
//
// Sets up, grows and flushes the lanes of a thread, and counts what they serve.
#include "thread_cache/thread_block.h"

#include "depot/depot.h"
#include "profiler/sampler.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

void ThreadBlock::add_to(ClassStats& stats, ClassIndex c) const {
    if (!has_record(c)) {
        return;
    }
    const ClassRecord& record = this->record(c);
    const uint64_t hits = record.countdown.hits(lane(c).countdown);
    stats.hits += hits;
    stats.misses += record.misses;
    stats.frees += level(c) + hits + record.flushed - record.refilled;
    stats.refills += record.refills;
    stats.flushes += record.flushes;
    stats.discards += record.flushed;
    stats.swing = std::max<uint64_t>(stats.swing, swings[c].most);
}

ThreadCounts ThreadBlock::counts() const {
    ThreadCounts counts{.frees = load_relaxed(fallback_frees)};
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        ClassStats stats;
        add_to(stats, c);
        counts.allocations += stats.allocations();
        counts.frees += stats.frees;
    }
    for (const FallbackStats& forward : fallback_allocations) {
        counts.allocations += load_relaxed(forward.count);
    }
    return counts;
}

void ThreadBlock::ensure_record(ClassIndex c) {
    if (!has_record(c)) {
        windows[c] = ++window_count;
        record(c) = {};
        swings[c] = {};
        record(c).sample_at = UINT64_MAX;
    }
}

void ThreadBlock::set_floor(ClassIndex c, void** floor) {
    lanes_bytes -= lane_bytes(c);
    record(c).floor = floor;
    lanes_bytes += lane_bytes(c);
}

void ThreadBlock::set_up_class(ClassIndex c, uint32_t capacity) {
    ensure_record(c);
    set_floor(c, window(c) + capacity);
    *record(c).floor = nullptr;
    lane(c).smallest = size_classes.smallest_request(c);
    lane(c).spread = size_classes[c].object_size - lane(c).smallest;
    set_top(c, record(c).floor);
}

void ThreadBlock::set_capacity(ClassIndex c, uint32_t capacity) {
    const uint32_t count = level(c);
    void** const new_floor = window(c) + capacity;
    memmove(new_floor - count, top(c), count * sizeof(void*));
    *new_floor = nullptr;
    set_floor(c, new_floor);
    set_top(c, new_floor - count);
}

void ThreadBlock::flush_oldest(ClassIndex c, uint32_t count) {
    ClassRecord& record = this->record(c);
    depots[c].put_back(record.floor - count, count, &spare);
    memmove(top(c) + count, top(c), (level(c) - count) * sizeof(void*));
    set_top(c, top(c) + count);
    ++record.flushes;
    record.flushed += count;
}

void ThreadBlock::flush_all(ClassIndex c) {
    if (is_set_up(c)) {
        resolve_pending_reclaim(c);
        if (const uint32_t count = level(c); count != 0) {
            flush_oldest(c, count);
        }
        unset_class(c);
    }
}

void ThreadBlock::flush_unused(ClassIndex c) {
    if (is_set_up(c)) {
        resolve_pending_reclaim(c);
        if (const uint32_t count = level(c); count != 0) {
            depots[c].put_back_unused(top(c), count, &spare);
            ++record(c).flushes;
            record(c).flushed += count;
        }
        unset_class(c);
    }
}

void ThreadBlock::undo_newest_frees() {
    constexpr uint64_t kOfALane = 8;
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        if (is_set_up(c)) {
            resolve_pending_reclaim(c);
            // Never more than the thread freed: objects that a refill brought were not freed.
            const uint32_t own_frees = static_cast<uint32_t>(frees(c)) - frees_before[c];
            set_top(c, top(c) + std::min({uint64_t{level(c)}, kOfALane, uint64_t{own_frees}}));
        }
    }
}

void ThreadBlock::retire() {
    static constinit ThreadCache no_thread;  // never changes
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        flush_all(c);
        if (has_record(c)) {
            frees_before[c] = static_cast<uint32_t>(frees(c));
        }
    }
    cache = &no_thread;
    is_live = false;
    ++threads_ended;
}

void ThreadBlock::unset_class(ClassIndex c) {
    swings[c].flushed = 0;
    swings[c].capacity = 0;  // a class that becomes idle leaves its room to others
    poll_after(c, 0);
    set_floor(c, nullptr);
    set_top(c, nullptr);
}

uint64_t ThreadBlock::hits_until_sample(ClassIndex c) const {
    const uint64_t sample_at = record(c).sample_at;
    return sample_at - std::min(allocations(c), sample_at);
}

void ThreadBlock::set_countdown(ClassIndex c, uint64_t pops) {
    record(c).countdown.start(lane(c).countdown, pops, hits_until_sample(c));
}

void ThreadBlock::limit_countdown(ClassIndex c) {
    record(c).countdown.limit(lane(c).countdown, hits_until_sample(c));
}

Drawn ThreadBlock::take_turn(ClassIndex c, uint32_t epoch) {
    ClassRecord& record = this->record(c);
    const uint64_t gets = this->allocations(c);
    const auto next_guard = [gets] {
        const uint64_t gap = sampler::draw_guard_gap();
        return gap == sampler::kNoGuards ? UINT64_MAX : gets + gap;
    };
    const size_t bytes = size_classes[c].object_size;
    if (record.sample_epoch != epoch) {  // a session began or ended
        record.sample_epoch = epoch;
        profile_at[c] = sampler::running() ? gets + sampler::draw_gap(bytes) : UINT64_MAX;
        guard_at[c] = next_guard();
    }
    const Drawn drawn{.sampled = gets >= profile_at[c], .guarded = gets >= guard_at[c]};
    if (drawn.sampled) {
        profile_at[c] = gets + sampler::draw_gap(bytes);
    }
    if (drawn.guarded) {
        guard_at[c] = next_guard();
    }
    record.sample_at = std::min(profile_at[c], guard_at[c]);
    return drawn;
}

void ThreadBlock::poll_after(ClassIndex c, uint64_t pops) {
    record(c).poll_after = static_cast<uint16_t>(pops);
    set_countdown(c, pops);
}

void ThreadBlock::poll_soon() {
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        if (is_set_up(c)) {
            poll_after(c, 0);
        }
    }
}

void ThreadBlock::resolve_pending_reclaim(ClassIndex c) {
    if (!has_record(c)) {
        return;
    }
    ClassRecord& record = this->record(c);
    if (record.pending_reclaim == nullptr) {
        return;
    }
    // If the slot is empty and still in the stack, the owner never got the object: it goes back to its slot.
    // Otherwise the owner popped it before it was taken, and may have pushed another one since.
    void** const slot = record.pending_reclaim_slot;
    if (top(c) <= slot && *slot == nullptr) {
        *slot = record.pending_reclaim;
    }
    record.pending_reclaim = nullptr;
}

}  // namespace hotlane
