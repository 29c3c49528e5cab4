// SPDX-License-Identifier: MIT
//
// A shelf: the magazines of one size class that the threads on a few neighbouring processors exchange.
#pragma once

#include "base/atomic_access.h"
#include "depot/magazine.h"

namespace hotlane {

/// A stack of magazines, newest on top. What a visit needs lies in the first cache line, as long as there are few
/// magazines. All members but objects() are used under the lock.
///
/// Invariants: objects() = the sum of the counts; no magazine on the shelf is empty; least_objects() <= objects().
class alignas(64) Shelf {
  public:
    static constexpr uint32_t kMostMagazines = 59;
    /// So many objects are copied under the lock rather than pushed in a magazine of their own. That fills the
    /// magazines, and takes less time than fetching one.
    static constexpr uint32_t kFew = 16;

    Lock lock{LockRank::depot};

    /// May be called without the lock; the answer may be outdated then.
    uint32_t objects() const { return load_relaxed(objects_); }
    /// The lowest number of objects since the last forget_least().
    uint32_t least_objects() const { return least_objects_; }
    void forget_least() { least_objects_ = objects_; }
    bool is_full() const { return count_ == kMostMagazines; }

    /// The top magazine, taken off, if not more than `wanted` objects are in it. Otherwise 0 objects.
    Loaded pop(uint32_t wanted);
    /// Takes the newest `count` objects out of the top magazine, which has more.
    void take(void** out, uint32_t count);
    /// Puts a magazine on top, or below all others. The shelf must not be full.
    void push(Loaded magazine);
    void push_behind(Loaded magazine);
    /// Adds a few objects to the top magazine, or to the lowest. Returns false if there is no room.
    bool add(void* const* objects, uint32_t count);
    bool add_behind(void* const* objects, uint32_t count);

    /// Some of the oldest objects: the lowest magazine, if it has at most `count` and `more` objects, or otherwise
    /// `count` of its objects in `buffer`. The shelf must not be empty.
    struct Dropped {
        void** objects;
        uint32_t count;
        Magazine* magazine;  // null: they are in the buffer
    };
    Dropped drop_oldest(uint32_t count, uint32_t more, void** buffer);

    /// A few empty magazines, for threads that mostly fill them, from threads that mostly empty them. keep() returns
    /// false if there are enough; empty() returns null if there is none.
    bool keep(Magazine* magazine) {
        if (empty_count_ == kMostEmpty) {
            return false;
        }
        empty_[empty_count_++] = magazine;
        return true;
    }
    Magazine* empty() { return empty_count_ != 0 ? empty_[--empty_count_] : nullptr; }

  private:
    static constexpr uint32_t kMostEmpty = 2;

    void change_objects(uint32_t by) {
        store_relaxed(objects_, objects_ + by);
        least_objects_ = least_objects_ < objects_ ? least_objects_ : objects_;
    }

    uint32_t objects_ = 0;
    uint32_t least_objects_ = 0;
    uint16_t count_ = 0;
    uint16_t empty_count_ = 0;
    Magazine* empty_[kMostEmpty] = {};
    Loaded magazines_[kMostMagazines];  // oldest first
};

static_assert(sizeof(Shelf) == 512);

}  // namespace hotlane
