// SPDX-License-Identifier: MIT
//
// Slots between inaccessible pages, one guarded object in each, and what is known of each object.
// Knows nothing of how stacks are taken, of signals or of reports.
// Used by guard, under its lock.
//
//      | guard | slot 0 | guard | slot 1 | guard | ...      each guard one OS page
//
// A small object has one OS page. It ends where the page ends, or begins where the page begins, and what is
// left of the page beside it is filled with a pattern, which is looked at when the object is freed. A freed
// slot becomes inaccessible and waits in a queue: it is taken again only when no fresh slot is left, the one
// that was freed first before the others.
#pragma once

#include "platform/os.h"
#include "platform/safe_read.h"

namespace hotlane {

/// A stack as it was when something happened.
struct GuardTrace {
    static constexpr size_t kMostFrames = 24;

    uint32_t thread = 0;  // os::thread_id()
    uint32_t depth = 0;
    uintptr_t frames[kMostFrames] = {};
};

/// A slot's present or last object.
struct GuardedObject {
    enum class State : uint8_t { unused, live, freed };

    uintptr_t begin;
    size_t size;    // bytes that the program asked for, at least 1
    uint32_t next;  // the slot freed after this one; kNoSlot
    State state;
    bool followed;  // by the profiler, too
    bool reported;  // an access to it or beside it
    bool expected;  // to be freed again
    GuardTrace allocated;
    GuardTrace freed;

    uintptr_t end() const { return begin + size; }
};

/// Not thread-safe, but for extent() after set_up().
class GuardPool {
  public:
    enum class Place : uint8_t { left, right };  // of the object in its slot

    /// False: no addresses, or no memory for the records.
    bool set_up();
    /// All slots and guard pages.
    inspect::Extent extent() const { return extent_; }

    /// An accessible slot for `size` bytes at a multiple of `alignment`, a power of two. Null: too large, or
    /// every slot of that size has a live object, or the system refused. begin, size and state are set.
    GuardedObject* take(size_t size, size_t alignment, Place place);
    /// The object is gone; its slot is inaccessible from now on.
    void put_back(GuardedObject& object);

    /// The live object that begins at `p`; null when there is none.
    GuardedObject* find(const void* p);
    /// The object of the slot in which an address of extent() lies; for an address in a guard page or a slot
    /// that was never used the nearest object beside it. Null when there is none.
    GuardedObject* find_around(uintptr_t address);
    /// The first byte beside a live object that lost the pattern; 0 when none did.
    uintptr_t overwritten(const GuardedObject& object) const;
    /// Makes the page of an address of extent() accessible until a slot beside it is taken again. False: the
    /// system refused.
    bool open_page(uintptr_t address);

    /// In a forked child: the newest frees of other threads than this one may come once more. Nobody gets
    /// their slots before.
    void expect_frees_again(uint32_t thread);
    /// Whether this is such a free. From now on it is none.
    bool forgive(const void* p);

    size_t live() const { return live_; }
    size_t quarantined() const { return freed_; }

  private:
    static constexpr uint32_t kNoSlot = UINT32_MAX;
    /// Slots of one size, one after the other.
    struct Kind {
        uint32_t pages;  // of each slot, its guard page not included
        uint32_t count;
        uint32_t first = 0;         // number of its first slot
        uint32_t used = 0;          // slots that ever had an object; the others are fresh
        uint32_t oldest = kNoSlot;  // of those that are freed
        uint32_t newest = kNoSlot;
        uintptr_t begin = 0;  // of its first slot

        size_t stride() const { return (pages + size_t{1}) * kOsPageSize; }
    };
    static constexpr uint32_t kKinds = 3;
    /// 1.4 MiB of slots, all of which may be resident.
    static constexpr uint32_t kSlots = 224 + 16 + 4;

    Kind& kind_of(uint32_t slot);
    const Kind& kind_of(uint32_t slot) const { return const_cast<GuardPool*>(this)->kind_of(slot); }
    uint32_t slot_of(const GuardedObject& object) const { return static_cast<uint32_t>(&object - objects_); }
    inspect::Extent bounds(uint32_t slot) const;
    uint32_t slot_around(uintptr_t address) const;
    bool make_accessible(uint32_t slot);
    void append(Kind& kind, uint32_t slot);
    /// The bytes of the slot that the pattern is in, before and after the object.
    struct Margins {
        inspect::Extent before;
        inspect::Extent after;
    };
    Margins margins(const GuardedObject& object) const;

    inspect::Extent extent_;
    GuardedObject* objects_ = nullptr;
    bool opened_[kSlots + 1] = {};  // the guard pages: of slot i the one before it
    size_t live_ = 0;
    size_t freed_ = 0;
    Kind kinds_[kKinds] = {{.pages = 1, .count = 224}, {.pages = 4, .count = 16}, {.pages = 16, .count = 4}};
};

}  // namespace hotlane
