// SPDX-License-Identifier: MIT
//
// Holds back the newest few objects that each thread freed, so that nobody gets them yet. For frees that do
// not go to a thread's cache. The owner must lock.
//
// libc frees blocks of a thread's storage before it drops its pointers to them (pthread_create does so when
// it reuses a stack). If another thread forks in between, the child frees these blocks once more. The child
// has to recognise them, and nobody may have got them meanwhile.
#pragma once

#include "base/base.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hotlane {

/// Threads are hashed to rows. Two threads in the same row share its room.
class NewestFrees {
  public:
    static constexpr size_t kOfAThread = 8;

    /// Adds an object that the calling thread freed. Returns the older object that it displaces, or null.
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
    /// Removes all objects and passes each to `visit`.
    template <typename Visit>
    void take_all(Visit visit) {
        take_if([](const Entry&) { return true; }, visit);
    }
    /// The same for the objects that other threads freed.
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
