// SPDX-License-Identifier: MIT
//
// Magazines: arrays of pointers to free objects. A thread fills or empties a magazine without any lock, and only its
// number changes hands under one.
#pragma once

#include "base/base.h"
#include "sync/lock.h"

namespace hotlane {

struct alignas(64) Magazine {
    static constexpr uint32_t kSlots = 128;
    void* slots[kSlots];
};

/// Stands for a magazine, and takes less room than its address. 0 stands for none.
struct MagazineNumber {
    uint32_t value = 0;

    bool is_none() const { return value == 0; }
    friend bool operator==(MagazineNumber, MagazineNumber) = default;
};

namespace magazines {

/// Magazines are mapped in chunks of so many. The first magazine of the first chunk has the number kInChunk.
inline constexpr uint32_t kInChunk = 64 * KiB / sizeof(Magazine);
/// The most chunks, which hold 256 MiB together.
inline constexpr uint32_t kMostChunks = 4096;
extern constinit Magazine* chunks[kMostChunks + 1];

inline Magazine& at(MagazineNumber number) {
    return chunks[number.value / kInChunk][number.value % kInChunk];
}

}  // namespace magazines

/// A magazine with `count` objects. They lie at its end, the newest first, so that newer ones can be added before them.
class Loaded {
  public:
    Loaded() = default;
    Loaded(MagazineNumber magazine, uint32_t count) : word_{magazine.value << kCountBits | count} {}

    MagazineNumber magazine() const { return {word_ >> kCountBits}; }
    uint32_t count() const { return word_ & ((1U << kCountBits) - 1); }
    uint32_t room() const { return Magazine::kSlots - count(); }
    void** newest() const { return end() - count(); }

    /// Adds objects, newest first, as the newest. There must be room.
    void add(void* const* objects, uint32_t count);
    /// Adds objects as the oldest; the others move. There must be room.
    void add_behind(void* const* objects, uint32_t count);
    /// Takes out the newest or the oldest objects. There must be so many.
    void take(void** out, uint32_t count);
    void take_oldest(void** out, uint32_t count);

  private:
    void** end() const { return magazines::at(magazine()).slots + Magazine::kSlots; }

    static constexpr uint32_t kCountBits = 8;
    static_assert(Magazine::kSlots < 1U << kCountBits);
    static_assert((magazines::kMostChunks + 1) * magazines::kInChunk <= 1U << (32 - kCountBits));

    uint32_t word_ = 0;
};

/// The empty magazines that a thread keeps between two visits of the depot: as many as a flush fills.
class SpareMagazines {
  public:
    static constexpr uint32_t kMost = 2;

    /// None if there is none.
    MagazineNumber take() { return count_ != 0 ? magazines_[--count_] : MagazineNumber{}; }
    /// Returns false if there are enough.
    bool keep(MagazineNumber magazine) {
        if (count_ == kMost) {
            return false;
        }
        magazines_[count_++] = magazine;
        return true;
    }
    uint32_t count() const { return count_; }

  private:
    MagazineNumber magazines_[kMost] = {};
    uint32_t count_ = 0;
};

/// The empty magazines that nobody keeps, in a list for a few neighbouring processors. Their memory is never given back.
namespace magazines {

inline constexpr uint32_t kProcessorsOfList = 4;
inline constexpr uint32_t kMostLists = 16;

/// An empty magazine, or none if the system has no memory or there are too many.
MagazineNumber take();
void put(MagazineNumber magazine);
// For fork.
void lock_all();
void unlock_all();

}  // namespace magazines

}  // namespace hotlane
