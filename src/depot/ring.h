// SPDX-License-Identifier: MIT
//
// A ring of free objects that threads exchange: the newest go out first, and the oldest can be dropped. The
// owner must lock.
#pragma once

#include "base/base.h"

namespace hotlane {

/// A circular buffer in slots that the owner provides.
class Ring {
  public:
    /// `slot_count` is a power of two.
    void set_up(void** slots, uint32_t slot_count) {
        slots_ = slots;
        slot_count_ = slot_count;
    }

    bool is_set_up() const { return slots_ != nullptr; }
    uint32_t count() const { return count_; }
    /// The lowest count since the last forget_least().
    uint32_t least_count() const { return least_count_; }
    void forget_least() { least_count_ = count_; }

    /// Takes the newest objects, at most `count`. Returns how many.
    uint32_t take(void** out, uint32_t count);
    /// Puts objects in as the newest; the first of them becomes the very newest. There must be room for them.
    void put(void* const* objects, uint32_t count);
    /// Puts objects in as the oldest, and counts them as not needed in this interval. There must be room.
    void put_behind(void* const* objects, uint32_t count);

    /// Some of the oldest objects, in adjacent slots that keep their contents until the next put.
    struct Stretch {
        void* const* objects;
        uint32_t count;
    };
    /// Drops between 1 and `count` of the oldest objects and returns them. 0 < `count` <= count().
    Stretch drop_oldest(uint32_t count);

  private:
    void copy_to(uint32_t first, void* const* objects, uint32_t count);

    uint32_t slot_count_ = 0;
    uint32_t newest_ = 0;  // slot of the newest object; the older ones follow
    uint32_t count_ = 0;
    uint32_t least_count_ = 0;
    void** slots_ = nullptr;
};

}  // namespace hotlane
