// SPDX-License-Identifier: MIT
//
// Slots between inaccessible pages, with one guarded object in each, and a record for each object.
//
//      | guard | slot 0 | guard | slot 1 | guard | ...      each guard is one OS page
//
// The slot of a small object is one OS page. The object ends at the end of the page or begins at its
// beginning. The rest of the page is filled with a pattern, which is checked when the object is freed. A
// freed slot becomes inaccessible and enters a queue. It is reused only when no fresh slot is left, in the
// order in which slots were freed.
#pragma once

#include "platform/os.h"
#include "platform/safe_read.h"

namespace hotlane {

/// The stack of a thread at some event.
struct GuardTrace {
    static constexpr size_t kMostFrames = 24;

    uint32_t thread = 0;  // os::thread_id()
    uint32_t depth = 0;
    uintptr_t frames[kMostFrames] = {};
};

/// The current or last object of a slot.
struct GuardedObject {
    enum class State : uint8_t { unused, live, freed };

    uintptr_t begin;
    size_t size;    // bytes requested, at least 1
    uint32_t next;  // the slot that was freed after this one; kNoSlot if none
    State state;
    bool tracked;   // by the profiler, too
    bool reported;  // an access to the object or beside it was reported
    bool expected;  // a second free is expected in this forked child
    GuardTrace allocated;
    GuardTrace freed;

    uintptr_t end() const { return begin + size; }
};

/// Not thread-safe, except extent() after set_up().
class GuardPool {
  public:
    enum class Place : uint8_t { left, right };  // the object's side of its slot

    /// Returns false if there are no addresses, or no memory for the records.
    bool set_up();
    /// The addresses of all slots and guard pages.
    inspect::Extent extent() const { return extent_; }

    /// Makes a slot accessible for `size` bytes at a multiple of `alignment`, a power of two. Sets begin,
    /// size and state. Returns null if `size` is too large, every slot of that kind has a live object, or the
    /// system refuses.
    GuardedObject* take(size_t size, size_t alignment, Place place);
    /// Frees the object; its slot becomes inaccessible.
    void put_back(GuardedObject& object);

    /// The live object that begins at `p`; null if there is none.
    GuardedObject* find(const void* p);
    /// The object of the slot in which an address of extent() lies. For an address in a guard page or in a
    /// slot that was never used, it is the nearest object beside it. Null if there is none.
    GuardedObject* find_around(uintptr_t address);
    /// The first byte beside a live object that does not hold the pattern any more; 0 if all do.
    uintptr_t overwritten(const GuardedObject& object) const;
    /// Makes the page of an address of extent() accessible, until a slot beside it is taken again. Returns
    /// false if the system refuses.
    bool open_page(uintptr_t address);

    /// In a forked child: the newest frees of all threads but this one may be repeated. Their slots are not
    /// reused before that.
    void expect_frees_again(uint32_t thread);
    /// Whether this is such a repeated free. A further free of the object is an error.
    bool forgive(const void* p);

    size_t live() const { return live_; }
    size_t quarantined() const { return freed_; }

  private:
    static constexpr uint32_t kNoSlot = UINT32_MAX;
    /// Adjacent slots of one size.
    struct Kind {
        uint32_t units;  // of 4 KiB: the size of each slot before it is rounded up to OS pages
        uint32_t count;
        uint32_t first = 0;         // number of the first slot
        uint32_t used = 0;          // slots that have ever had an object; the others are fresh
        uint32_t oldest = kNoSlot;  // the freed slot that has waited longest
        uint32_t newest = kNoSlot;
        uintptr_t begin = 0;  // address of the first slot

        size_t bytes() const { return round_up(units * kSmallestOsPage, os::page_size()); }
        size_t stride() const { return bytes() + os::page_size(); }  // with the guard page
    };
    static constexpr uint32_t kKinds = 3;
    /// The slots have 1.4 MiB together, all of which may be resident; 4 MiB with pages of 16 KiB, and 15 with 64.
    static constexpr uint32_t kSlots = 224 + 16 + 4;

    Kind& kind_of(uint32_t slot);
    const Kind& kind_of(uint32_t slot) const { return const_cast<GuardPool*>(this)->kind_of(slot); }
    uint32_t slot_of(const GuardedObject& object) const { return static_cast<uint32_t>(&object - objects_); }
    inspect::Extent bounds(uint32_t slot) const;
    uint32_t slot_around(uintptr_t address) const;
    bool make_accessible(uint32_t slot);
    void append(Kind& kind, uint32_t slot);
    /// The bytes of the slot that hold the pattern, before and after the object.
    struct Margins {
        inspect::Extent before;
        inspect::Extent after;
    };
    Margins margins(const GuardedObject& object) const;

    inspect::Extent extent_;
    GuardedObject* objects_ = nullptr;
    bool opened_[kSlots + 1] = {};  // whether a guard page is accessible; [i] is the page before slot i
    size_t live_ = 0;
    size_t freed_ = 0;
    Kind kinds_[kKinds] = {{.units = 1, .count = 224}, {.units = 4, .count = 16}, {.units = 16, .count = 4}};
};

}  // namespace hotlane
