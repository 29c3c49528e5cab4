// SPDX-License-Identifier: MIT
//
// Free objects that nobody may get yet: the newest few that each thread freed.
// Knows nothing of what an object is; its owner locks.
// Used by depot and sample heap, for frees that go to no thread's cache.
//
// libc frees blocks of a thread's storage before it forgets them (pthread_create, for a stack that it uses
// again). A fork by another thread in between leaves the child to free them once more. The child has to know
// these blocks, and nobody may have got them meanwhile.
#pragma once

#include "base/base.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hotlane {

/// Threads share the rows: two of one row have room for fewer each.
class NewestFrees {
  public:
    static constexpr size_t kOfAThread = 8;

    /// Adds what the calling thread has freed. Returns the object that has to give way, null when none has.
    void* add(void* object) {
        Row& row = rows_[this_thread() * 0x9E3779B97F4A7C15 >> kRowShift];
        Entry& oldest = row.entries[row.next++ % kOfAThread];
        return std::exchange(oldest, {.object = object, .thread = this_thread()}).object;
    }
    bool holds(const void* object) const {
        return std::any_of(std::begin(rows_), std::end(rows_), [object](const Row& row) {
            return std::any_of(std::begin(row.entries), std::end(row.entries),
                               [object](const Entry& entry) { return entry.object == object; });
        });
    }
    /// Empties it, and shows each object to `visit`.
    template <typename Visit>
    void take_all(Visit visit) {
        take_if([](const Entry&) { return true; }, visit);
    }
    /// The same of what other threads freed.
    template <typename Visit>
    void take_others(Visit visit) {
        take_if([](const Entry& entry) { return entry.thread != this_thread(); }, visit);
    }

  private:
    static constexpr size_t kRows = 16;
    static constexpr unsigned kRowShift = 60;
    static_assert(kRows == 1 << (64 - kRowShift));

    struct Entry {
        void* object;
        uintptr_t thread;
    };
    struct Row {
        Entry entries[kOfAThread];
        uint32_t next;
    };

    static uintptr_t this_thread() { return address_of(__builtin_thread_pointer()); }

    template <typename Matches, typename Visit>
    void take_if(Matches matches, Visit visit) {
        for (Row& row : rows_) {
            for (Entry& entry : row.entries) {
                if (entry.object != nullptr && matches(entry)) {
                    visit(std::exchange(entry, {}).object);
                }
            }
        }
    }

    Row rows_[kRows] = {};
};

}  // namespace hotlane
