// SPDX-License-Identifier: MIT
//
// The stack of magazines.
#include "depot/shelf.h"

#include "sync/lock_counts.h"

#include <algorithm>

namespace hotlane {

Loaded Shelf::pop(uint32_t wanted, SpareMagazines* spare) {
    if (count_ == 0) {
        return {};
    }
    lock_counts::note_line(magazines_ + count_ - 1);
    const Loaded top = magazines_[count_ - 1];
    if (top.count() > wanted) {
        return {};
    }
    --count_;
    if (Magazine* const empty = spare != nullptr ? spare->take() : nullptr; empty != nullptr) {
        magazines_[count_] = Loaded(empty, 0);
        change_empties(1);
    } else {
        magazines_[count_] = magazines_[count_ + empty_count_];  // the empty ones stay without a gap
    }
    change_objects(-top.count());
    return top;
}

void Shelf::take(void** out, uint32_t count) {
    magazines_[count_ - 1].take(out, count);
    change_objects(-count);
}

void Shelf::push(Loaded magazine, SpareMagazines* spare) {
    Loaded& place = magazines_[count_];
    lock_counts::note_line(&place);
    if (empty_count_ != 0 && spare != nullptr && spare->keep(place.magazine())) {
        change_empties(-1);
    } else {
        magazines_[count_ + empty_count_] = place;
    }
    place = magazine;
    ++count_;
    change_objects(magazine.count());
}

void Shelf::push_behind(Loaded magazine) {
    std::copy_backward(magazines_, magazines_ + count_ + empty_count_,
                       magazines_ + count_ + empty_count_ + 1);
    magazines_[0] = magazine;
    ++count_;
    least_objects_ += magazine.count();  // not needed in this interval
    change_objects(magazine.count());
}

bool Shelf::add(void* const* objects, uint32_t count) {
    if (count_ == 0 || magazines_[count_ - 1].room() < count) {
        return false;
    }
    lock_counts::note_line(magazines_ + count_ - 1);
    magazines_[count_ - 1].add(objects, count);
    change_objects(count);
    return true;
}

bool Shelf::add_behind(void* const* objects, uint32_t count) {
    if (count_ == 0 || magazines_[0].room() < count) {
        return false;
    }
    magazines_[0].add_behind(objects, count);
    least_objects_ += count;
    change_objects(count);
    return true;
}

Shelf::Dropped Shelf::drop_oldest(uint32_t count, uint32_t more, void** buffer) {
    Loaded& lowest = magazines_[0];
    if (lowest.count() > count + more) {
        lowest.take_oldest(buffer, count);
        change_objects(-count);
        return {buffer, count, nullptr};
    }
    const Dropped dropped{lowest.newest(), lowest.count(), lowest.magazine()};
    std::copy(magazines_ + 1, magazines_ + count_ + empty_count_, magazines_);
    --count_;
    change_objects(-dropped.count);
    return dropped;
}

Magazine* Shelf::take_empty() {
    if (empty_count_ == 0) {
        return nullptr;
    }
    change_empties(-1);
    const Loaded& place = magazines_[count_ + empty_count_];
    lock_counts::note_line(&place);
    return place.magazine();
}

}  // namespace hotlane
