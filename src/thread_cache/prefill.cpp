// SPDX-License-Identifier: MIT
//
// Warm-up of a lane, of the depots, and of future threads.
#include "thread_cache/prefill.h"

#include "depot/depot.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace hotlane {

namespace {

/// Class and count in one word, so that a new thread reads both or neither. 0 means unused.
constinit std::atomic<uint64_t> warmups[16];

void touch_object(void* object, ClassIndex c) {
    for (size_t at = 0; at < size_classes[c].object_size; at += kSmallestOsPage) {
        static_cast<volatile char*>(object)[at] = 0;
    }
}

/// Adds up to `count` objects to the lane, which has room for them. Returns how many.
uint32_t stock_lane(ThreadBlock& block, ClassIndex c, uint32_t count) {
    ClassRecord& record = block.record(c);
    uint32_t stocked = 0;
    while (stocked < count) {
        bool zeroed = false;
        RegionFailure why{};
        void** const top = block.top(c);
        void** const place = top - (count - stocked);
        const uint32_t taken = depots[c].refill(place, count - stocked, true, &zeroed, &why);
        if (taken == 0) {
            break;
        }
        std::for_each(place, place + taken, [c](void* object) { touch_object(object, c); });
        memmove(top - taken, place, taken * sizeof *place);
        record.refilled += taken;
        ++record.refills;
        block.set_top(c, top - taken);
        stocked += taken;
    }
    return stocked;
}

/// Fills the lane up to `count` objects, or to the most it can hold. Returns how many are ready.
uint32_t warm_up_lane(ThreadBlock& block, ClassIndex c, size_t count) {
    const auto wanted = static_cast<uint32_t>(std::min<size_t>(count, tuning::kMostSlots));
    if (!block.is_set_up(c)) {
        set_up_class(block, c, std::max(wanted, 2U));
    } else if (wanted > block.capacity(c)) {
        block.set_capacity(c, wanted);
    }
    const uint32_t level = block.level(c);
    return wanted <= level ? wanted : level + stock_lane(block, c, wanted - level);
}

/// Takes `count` objects out of the depot, touches them and puts them back. Until then they are linked
/// through their first words. Returns how many objects there were.
size_t warm_up_depot(ClassIndex c, size_t count) {
    void* held = nullptr;
    size_t taken = 0;
    bool zeroed = false;
    RegionFailure why{};
    for (void* object = nullptr; taken < count && depots[c].refill(&object, 1, true, &zeroed, &why) != 0;
         ++taken) {
        touch_object(object, c);
        memcpy(object, &held, sizeof held);
        held = object;
    }
    while (held != nullptr) {
        void* const object = held;
        memcpy(&held, object, sizeof held);
        depots[c].put_back(&object, 1);
    }
    return taken;
}

}  // namespace

size_t warm_up_this_thread(ClassIndex c, size_t count) {
    size_t ready = 0;
    if (ThreadBlock* block = own_block()) {
        LockGuard guard(block->lock);
        block->resolve_pending_reclaim(c);
        ready = warm_up_lane(*block, c, count);
    }
    ready += warm_up_depot(c, count - ready);
    region.forget_growth();  // a flush would undo the warm-up
    return ready;
}

namespace {

/// The class of an entry. A table of classes may change: what counts is the class that serves the size now.
ClassIndex class_now(uint64_t warmup) {
    return size_classes.class_of(size_classes[warmup >> 32].object_size);
}

/// What all entries together ask for objects of class `c`.
uint32_t warm_up_count(ClassIndex c) {
    uint64_t sum = 0;
    for (const std::atomic<uint64_t>& warmup : warmups) {
        const uint64_t entry = warmup.load(std::memory_order_relaxed);
        sum += entry != 0 && class_now(entry) == c ? static_cast<uint32_t>(entry) : 0;
    }
    return static_cast<uint32_t>(std::min<uint64_t>(sum, UINT32_MAX));
}

}  // namespace

bool warm_up_new_threads(ClassIndex c, uint32_t count) {
    for (std::atomic<uint64_t>& warmup : warmups) {
        // Pairs with the load in warm_up_new_thread(), which reads class and count in one word and depends on
        // no other data.
        uint64_t entry = warmup.load();
        // If two sizes belong to one class, their counts add up.
        while (entry == 0 || entry >> 32 == c) {
            const uint64_t sum =
                std::min<uint64_t>(static_cast<uint32_t>(entry) + uint64_t{count}, UINT32_MAX);
            if (warmup.compare_exchange_strong(entry, uint64_t{c} << 32 | sum)) {
                return true;
            }
        }
    }
    return false;
}

void forget_warm_ups() {
    for (std::atomic<uint64_t>& warmup : warmups) {
        warmup.store(0);
    }
}

HOTLANE_IN_EVERY_PROCESS void warm_up_new_thread(ThreadBlock& block) {
    for (const std::atomic<uint64_t>& warmup : warmups) {
        if (const uint64_t entry = warmup.load(std::memory_order_relaxed); entry != 0) {
            const ClassIndex c = class_now(entry);
            const uint32_t count = warm_up_count(c);
            warm_up_depot(c, count - warm_up_lane(block, c, count));
        }
    }
}

}  // namespace hotlane
