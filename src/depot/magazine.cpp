// SPDX-License-Identifier: MIT
//
// Objects in magazines, and the list of empty magazines.
#include "depot/magazine.h"

#include "platform/os.h"
#include "sync/lock_counts.h"

#include <cstring>

namespace hotlane {

void Loaded::add(void* const* objects, uint32_t count) {
    word_ += count;
    memcpy(newest(), objects, count * sizeof *objects);
    lock_counts::note_copy(count * sizeof *objects);
}

void Loaded::add_behind(void* const* objects, uint32_t count) {
    void** const from = newest();
    memmove(from - count, from, this->count() * sizeof *from);
    word_ += count;
    memcpy(magazine()->slots + Magazine::kSlots - count, objects, count * sizeof *objects);
    lock_counts::note_copy(this->count() * sizeof *objects);
}

void Loaded::take(void** out, uint32_t count) {
    memcpy(out, newest(), count * sizeof *out);
    word_ -= count;
    lock_counts::note_copy(count * sizeof *out);
}

void Loaded::take_oldest(void** out, uint32_t count) {
    memcpy(out, magazine()->slots + Magazine::kSlots - count, count * sizeof *out);
    void** const from = newest();
    word_ -= count;
    memmove(from + count, from, this->count() * sizeof *from);
    lock_counts::note_copy(this->count() * sizeof *out);
}

namespace magazines {

namespace {

constexpr size_t kBytesAtOnce = 64 * KiB;

/// Linked through their last slots. What follows `unused` was never used.
struct alignas(64) List {
    Lock lock{LockRank::magazines};
    Magazine* first = nullptr;
    Magazine* unused = nullptr;
    size_t unused_count = 0;
};
HOTLANE_DATA_OF_EVERY_PROCESS constinit List lists[kMostLists];

List& list_of_processor() { return lists[os::processor() / kProcessorsOfList % kMostLists]; }

void*& link_of(Magazine* magazine) { return magazine->slots[Magazine::kSlots - 1]; }

}  // namespace

Magazine* take() {
    List& list = list_of_processor();
    LockGuard guard(list.lock);
    if (list.first != nullptr) {
        Magazine* const magazine = list.first;
        lock_counts::note_line(&link_of(magazine));
        list.first = static_cast<Magazine*>(link_of(magazine));
        return magazine;
    }
    if (list.unused_count == 0) {
        list.unused = static_cast<Magazine*>(os::map(kBytesAtOnce));
        if (list.unused == nullptr) {
            return nullptr;
        }
        list.unused_count = kBytesAtOnce / sizeof(Magazine);
    }
    --list.unused_count;
    return list.unused++;
}

void put(Magazine* magazine) {
    List& list = list_of_processor();
    LockGuard guard(list.lock);
    link_of(magazine) = list.first;
    list.first = magazine;
}

void lock_all() {
    for (List& list : lists) {
        list.lock.lock();
    }
}

void unlock_all() {
    for (List& list : lists) {
        list.lock.unlock();
    }
}

}  // namespace magazines

}  // namespace hotlane
