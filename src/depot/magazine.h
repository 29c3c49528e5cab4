// SPDX-License-Identifier: MIT
//
// Magazines: arrays of pointers to free objects. A thread fills or empties a magazine without any lock, and only its
// address changes hands under one.
#pragma once

#include "base/base.h"
#include "sync/lock.h"

namespace hotlane {

/// Aligned so that a word holds its address and the number of objects in it.
struct alignas(1024) Magazine {
    static constexpr uint32_t kSlots = 128;
    void* slots[kSlots];
};

/// A magazine with `count` objects. They lie at its end, the newest first, so that newer ones can be added before them.
class Loaded {
  public:
    Loaded() = default;
    Loaded(Magazine* magazine, uint32_t count) : word_{address_of(magazine) | count} {}

    Magazine* magazine() const { return static_cast<Magazine*>(pointer_to(word_ & ~kCountMask)); }
    uint32_t count() const { return static_cast<uint32_t>(word_ & kCountMask); }
    uint32_t room() const { return Magazine::kSlots - count(); }
    void** newest() const { return magazine()->slots + room(); }

    /// Adds objects, newest first, as the newest. There must be room.
    void add(void* const* objects, uint32_t count);
    /// Adds objects as the oldest; the others move. There must be room.
    void add_behind(void* const* objects, uint32_t count);
    /// Takes out the newest or the oldest objects. There must be so many.
    void take(void** out, uint32_t count);
    void take_oldest(void** out, uint32_t count);

  private:
    static constexpr uintptr_t kCountMask = alignof(Magazine) - 1;
    static_assert(Magazine::kSlots <= kCountMask);

    uintptr_t word_ = 0;
};

/// The empty magazines that a thread keeps between two visits of the depot: as many as a flush fills.
class SpareMagazines {
  public:
    static constexpr uint32_t kMost = 2;

    /// Null if there is none.
    Magazine* take() { return count_ != 0 ? magazines_[--count_] : nullptr; }
    /// Returns false if there are enough.
    bool keep(Magazine* magazine) {
        if (count_ == kMost) {
            return false;
        }
        magazines_[count_++] = magazine;
        return true;
    }
    uint32_t count() const { return count_; }

  private:
    Magazine* magazines_[kMost] = {};
    uint32_t count_ = 0;
};

/// The empty magazines that nobody keeps, in a list for a few neighbouring processors. Their memory is never given back.
namespace magazines {

inline constexpr uint32_t kProcessorsOfList = 4;
inline constexpr uint32_t kMostLists = 16;

/// An empty magazine, or null if the system has no memory.
Magazine* take();
void put(Magazine* magazine);
// For fork.
void lock_all();
void unlock_all();

}  // namespace magazines

}  // namespace hotlane
