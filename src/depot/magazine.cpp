// SPDX-License-Identifier: MIT
//
// Objects in magazines, and the list of empty magazines.
#include "depot/magazine.h"

#include "platform/os.h"
#include "sync/lock_counts.h"

#include <atomic>
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
    memcpy(end() - count, objects, count * sizeof *objects);
    lock_counts::note_copy(this->count() * sizeof *objects);
}

void Loaded::take(void** out, uint32_t count) {
    memcpy(out, newest(), count * sizeof *out);
    word_ -= count;
    lock_counts::note_copy(count * sizeof *out);
}

void Loaded::take_oldest(void** out, uint32_t count) {
    memcpy(out, end() - count, count * sizeof *out);
    void** const from = newest();
    word_ -= count;
    memmove(from + count, from, this->count() * sizeof *from);
    lock_counts::note_copy(this->count() * sizeof *out);
}

namespace magazines {

namespace {

/// Linked through their last slots. Those from `unused` on were never used.
struct alignas(64) List {
    Lock lock{LockRank::magazines};
    MagazineNumber first;
    MagazineNumber unused;
    uint32_t unused_count = 0;
};
HOTLANE_DATA_OF_EVERY_PROCESS constinit List lists[kMostLists];
constinit std::atomic<uint32_t> chunk_count{0};

List& list_of_processor() { return lists[os::processor() / kProcessorsOfList % kMostLists]; }

/// The slot that has the number of the next magazine of the list.
void*& link_of(MagazineNumber magazine) { return at(magazine).slots[Magazine::kSlots - 1]; }

/// Maps a chunk. Returns the number of its first magazine, or none.
MagazineNumber map_chunk() {
    void* const chunk = os::map(kInChunk * sizeof(Magazine));
    if (chunk == nullptr) {
        return {};
    }
    const uint32_t number = 1 + chunk_count.fetch_add(1, std::memory_order_relaxed);
    if (number > kMostChunks) {
        chunk_count.fetch_sub(1, std::memory_order_relaxed);
        os::unmap(chunk, kInChunk * sizeof(Magazine));
        return {};
    }
    // Whoever gets the number of one of its magazines gets it under a lock that this thread will have released.
    chunks[number] = static_cast<Magazine*>(chunk);
    return {number * kInChunk};
}

}  // namespace

constinit Magazine* chunks[kMostChunks + 1] = {};

MagazineNumber take() {
    List& list = list_of_processor();
    LockGuard guard(list.lock);
    if (!list.first.is_none()) {
        const MagazineNumber magazine = list.first;
        lock_counts::note_line(&link_of(magazine));
        list.first = {static_cast<uint32_t>(address_of(link_of(magazine)))};
        return magazine;
    }
    if (list.unused_count == 0) {
        list.unused = map_chunk();
        if (list.unused.is_none()) {
            return {};
        }
        list.unused_count = kInChunk;
    }
    --list.unused_count;
    return {list.unused.value++};
}

void put(MagazineNumber magazine) {
    List& list = list_of_processor();
    LockGuard guard(list.lock);
    link_of(magazine) = pointer_to(list.first.value);
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
