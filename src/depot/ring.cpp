// SPDX-License-Identifier: MIT
//
// The index arithmetic of the ring.
#include "depot/ring.h"

#include "sync/lock_counts.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

void Ring::copy_to(uint32_t first, void* const* objects, uint32_t count) {
    const uint32_t until_wrap = std::min(count, slot_count_ - first);
    memcpy(slots_ + first, objects, until_wrap * sizeof *objects);
    memcpy(slots_, objects + until_wrap, (count - until_wrap) * sizeof *objects);
    lock_counts::note_copy(count * sizeof *objects);
}

uint32_t Ring::take(void** out, uint32_t count) {
    count = std::min(count, count_);
    const uint32_t until_wrap = std::min(count, slot_count_ - newest_);
    memcpy(out, slots_ + newest_, until_wrap * sizeof *out);
    memcpy(out + until_wrap, slots_, (count - until_wrap) * sizeof *out);
    lock_counts::note_copy(count * sizeof *out);
    newest_ = (newest_ + count) % slot_count_;
    count_ -= count;
    least_count_ = std::min(least_count_, count_);
    return count;
}

void Ring::put(void* const* objects, uint32_t count) {
    newest_ = (newest_ - count) % slot_count_;
    copy_to(newest_, objects, count);
    count_ += count;
}

void Ring::put_behind(void* const* objects, uint32_t count) {
    copy_to((newest_ + count_) % slot_count_, objects, count);
    count_ += count;
    least_count_ += count;
}

Ring::Stretch Ring::drop_oldest(uint32_t count) {
    const uint32_t first = (newest_ + count_ - count) % slot_count_;
    const uint32_t until_wrap = std::min(count, slot_count_ - first);
    // The objects after the wrap are older.
    const Stretch stretch =
        until_wrap < count ? Stretch{slots_, count - until_wrap} : Stretch{slots_ + first, count};
    count_ -= stretch.count;
    least_count_ = std::min(least_count_, count_);
    return stretch;
}

}  // namespace hotlane
