// SPDX-License-Identifier: MIT
//
// Free objects that threads exchange: the newest go out first, the oldest can be dropped.
// Knows nothing of classes or spans; its owner locks.
// Used by depot.
#pragma once

#include "base/base.h"

namespace hotlane {

/// Slots used circularly, which the owner provides.
class Ring {
  public:
    /// `slot_count` is a power of two.
    void set_up(void** slots, uint32_t slot_count) {
        slots_ = slots;
        slot_count_ = slot_count;
    }

    bool is_set_up() const { return slots_ != nullptr; }
    uint32_t count() const { return count_; }
    /// Since the last forget_least().
    uint32_t least_count() const { return least_count_; }
    void forget_least() { least_count_ = count_; }

    /// The newest, at most `count`; returns how many.
    uint32_t take(void** out, uint32_t count);
    /// As the newest; the first of them is the very newest. There is room for them.
    void put(void* const* objects, uint32_t count);
    /// As the oldest, which nobody needed.
    void put_behind(void* const* objects, uint32_t count);

    /// Some of the oldest, side by side in slots that stay as they are until the next put.
    struct Stretch {
        void* const* objects;
        uint32_t count;
    };
    /// Between 1 and `count` of the oldest go; 0 < count <= count().
    Stretch drop_oldest(uint32_t count);

  private:
    void copy_to(uint32_t first, void* const* objects, uint32_t count);

    uint32_t slot_count_ = 0;
    uint32_t newest_ = 0;  // the older ones follow
    uint32_t count_ = 0;
    uint32_t least_count_ = 0;
    void** slots_ = nullptr;
};

}  // namespace hotlane
