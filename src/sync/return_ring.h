// SPDX-License-Identifier: MIT
//
// A ring of pointers from one thread to one other, without a lock: objects on their way back to the thread that
// hands them out. After Lamport, "Specifying Concurrent Program Modules" (1983).
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane {

/// Invariant: taken_ <= put_ <= taken_ + size. The slots from taken_ to put_ hold objects.
class ReturnRing {
  public:
    using Slot = std::atomic<void*>;

    /// `size` is a power of two. No other thread uses the ring meanwhile.
    void set_up(Slot* slots, uint64_t size) {
        slots_ = slots;
        mask_ = size - 1;
        for (uint64_t i = 0; i < size; ++i) {
            slots[i].store(nullptr, std::memory_order_relaxed);
        }
        put_.store(0, std::memory_order_relaxed);
        taken_.store(0, std::memory_order_release);
        taken_seen_ = 0;
    }

    /// Only the putting thread. Returns false if the ring is full.
    [[nodiscard]] bool put(void* p) {
        const uint64_t at = put_.load(std::memory_order_relaxed);
        if (at - taken_seen_ > mask_) {
            // Pairs with the release in take_all(): the slot was read before it is written again.
            taken_seen_ = taken_.load(std::memory_order_acquire);
            if (at - taken_seen_ > mask_) {
                return false;
            }
        }
        slots_[at & mask_].store(p, std::memory_order_relaxed);
        put_.store(at + 1, std::memory_order_release);
        return true;
    }

    /// Only the taking thread. Copies all pointers to `to`, oldest first. Returns how many.
    size_t take_all(void** to) {
        // Pairs with the release in put(): the pointers, and what the other thread wrote to the objects.
        const uint64_t end = put_.load(std::memory_order_acquire);
        const uint64_t begin = taken_.load(std::memory_order_relaxed);
        for (uint64_t i = begin; i != end; ++i) {
            __atomic_store_n(to++, slots_[i & mask_].load(std::memory_order_relaxed), __ATOMIC_RELAXED);
        }
        taken_.store(end, std::memory_order_release);
        return end - begin;
    }

    /// How many pointers it holds at some moment of the call. Any thread.
    uint64_t size() const {
        const uint64_t taken = taken_.load(std::memory_order_acquire);
        return put_.load(std::memory_order_acquire) - taken;
    }

  private:
    alignas(64) std::atomic<uint64_t> put_{0};
    uint64_t taken_seen_ = 0;  // of the putting thread: what it last read of taken_
    alignas(64) std::atomic<uint64_t> taken_{0};
    Slot* slots_ = nullptr;
    uint64_t mask_ = 0;
};

}  // namespace hotlane
