// SPDX-License-Identifier: MIT
//
// A shelf: the magazines of one size class that the threads on a few neighbouring processors exchange.
#pragma once

#include "base/atomic_access.h"
#include "depot/magazine.h"

namespace hotlane {

/// A stack of magazines, newest on top, and some empty ones behind it: so a thread that pops a magazine and leaves an
/// empty one, or pushes one and takes an empty one, changes one place.
///
/// The places around the top of the stack are the front. They lie in the cache line of the lock, so most visits use no
/// other line. If the front has only full or only empty magazines, it exchanges several at once with the rest.
///
/// All members but objects() and empties() are used under the lock.
///
/// Invariants: objects() = the sum of the counts; no magazine in the stack is empty; least_objects() <= objects(); front
/// and rest have magazines with objects, oldest first, and then empty ones; what the rest has is older.
class alignas(64) Shelf {
  public:
    /// So many objects are copied under the lock rather than pushed in a magazine of their own. That fills the
    /// magazines, and takes less time than fetching one.
    static constexpr uint32_t kFew = 16;

    Lock lock{LockRank::depot};

    /// May be called without the lock; the answer may be outdated then.
    uint32_t objects() const { return load_relaxed(objects_); }
    /// The lowest number of objects since the last forget_least().
    uint32_t least_objects() const { return least_objects_; }
    void forget_least() { least_objects_ = objects_; }
    /// Whether the rest has no place left. The front may still have some.
    bool is_full() const { return rest_count_ + rest_empties_ == kRest; }

    /// The top magazine, taken off, if not more than `wanted` objects are in it. Otherwise 0 objects. If `spare` has an
    /// empty magazine, it takes the place.
    Loaded pop(uint32_t wanted, SpareMagazines* spare);
    /// Takes the newest `count` objects out of the top magazine, which has more.
    void take(void** out, uint32_t count);
    /// Puts a magazine on top, or below all others. The shelf must not be full. `spare` gets the empty magazine that was in
    /// that place, if there was one and there is room.
    void push(Loaded magazine, SpareMagazines* spare);
    void push_behind(Loaded magazine);
    /// Adds a few objects to the top magazine, or to the lowest. Returns false if there is no room.
    bool add(void* const* objects, uint32_t count);
    bool add_behind(void* const* objects, uint32_t count);

    /// Some of the oldest objects: the lowest magazine, if it has at most `count` and `more` objects, or otherwise
    /// `count` of its objects in `buffer`. The shelf must not be empty.
    struct Dropped {
        void** objects;
        uint32_t count;
        MagazineNumber magazine;  // none: they are in the buffer
    };
    Dropped drop_oldest(uint32_t count, uint32_t more, void** buffer);

    /// An empty magazine that a thread left there, or none.
    MagazineNumber take_empty();
    /// May be called without the lock, as objects().
    uint32_t empties() const { return uint32_t{load_relaxed(front_empties_)} + load_relaxed(rest_empties_); }

  private:
    static constexpr uint32_t kFront = 11;
    static constexpr uint32_t kRest = 64;
    static constexpr uint32_t kAtOnce = 8;  // so many move between front and rest: half a cache line of it
    static_assert(kRest % kAtOnce == 0 && kAtOnce <= kFront);

    Loaded* top();
    Loaded& lowest() { return rest_count_ != 0 ? rest_[0] : front_[0]; }
    void move_to_rest();
    void bring_to_front();
    void remove_lowest();
    void change_objects(uint32_t by) {
        store_relaxed(objects_, objects_ + by);
        least_objects_ = least_objects_ < objects_ ? least_objects_ : objects_;
    }
    static void change(uint8_t& n, uint32_t by) { store_relaxed(n, static_cast<uint8_t>(n + by)); }

    uint32_t objects_ = 0;
    uint32_t least_objects_ = 0;
    uint8_t front_count_ = 0;
    uint8_t front_empties_ = 0;
    uint8_t rest_count_ = 0;
    uint8_t rest_empties_ = 0;
    Loaded front_[kFront];
    Loaded rest_[kRest];
};

// The rest begins with the second cache line.
static_assert(sizeof(Shelf) == 320);

}  // namespace hotlane
