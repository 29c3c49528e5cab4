// SPDX-License-Identifier: MIT
//
// The stack of magazines.
#include "depot/shelf.h"

#include "sync/lock_counts.h"

#include <algorithm>

namespace hotlane {

namespace {

/// Moves `count` magazines by one place, to `first`.
void shift_down(Loaded* first, uint32_t count) {
    std::copy(first + 1, first + 1 + count, first);
    lock_counts::note_copy(count * sizeof *first);
}

}  // namespace

// ---- front and rest ----------------------------------------------------------------------------------------

/// The newest magazine, which lies in the front then. Null if there is none.
Loaded* Shelf::top() {
    if (front_count_ == 0 && rest_count_ != 0) {
        bring_to_front();
    }
    return front_count_ != 0 ? front_ + front_count_ - 1 : nullptr;
}

/// The front has no place left for objects: its oldest magazines go to the rest, in exchange for empty ones. They fill half
/// a cache line there, so that one line is used. The front then has room for a few visits in either direction.
void Shelf::move_to_rest() {
    const uint32_t moved = kAtOnce - rest_count_ % kAtOnce;
    const uint32_t empties = std::min<uint32_t>(moved, rest_empties_);
    Loaded* const places = rest_ + rest_count_;
    lock_counts::note_line(places);
    std::swap_ranges(front_, front_ + moved, places);
    std::rotate(front_, front_ + moved, front_ + kFront);
    change(front_count_, -moved);
    change(front_empties_, empties);
    change(rest_count_, moved);
    change(rest_empties_, -empties);
}

/// The front has no objects: the newest magazines of the rest come there, in exchange for empty ones. They leave half a cache
/// line, or the part of it that was in use.
void Shelf::bring_to_front() {
    const uint32_t moved = (rest_count_ - 1) % kAtOnce + 1;
    const uint32_t empties = std::min<uint32_t>(moved, front_empties_);
    Loaded* const places = rest_ + rest_count_ - moved;
    lock_counts::note_line(places);
    std::swap_ranges(front_, front_ + moved, places);
    // The empty magazines stay without a gap.
    if (const uint32_t gap = std::min<uint32_t>(moved - empties, rest_empties_); gap != 0) {
        Loaded* const end = rest_ + rest_count_ + rest_empties_;
        lock_counts::note_line(end - gap);
        std::copy(end - gap, end, places + empties);
    }
    change(front_count_, moved);
    change(front_empties_, -empties);
    change(rest_count_, -moved);
    change(rest_empties_, empties);
}

void Shelf::remove_lowest() {
    if (rest_count_ != 0) {
        change(rest_count_, -1U);
        shift_down(rest_, rest_count_ + rest_empties_);
        return;
    }
    change(front_count_, -1U);
    shift_down(front_, front_count_ + front_empties_);
    if (rest_empties_ != 0) {  // a rest that is full of empty magazines gets a place, too
        change(rest_empties_, -1U);
        front_[front_count_ + front_empties_] = rest_[rest_empties_];
        change(front_empties_, 1);
    }
}

// ---- the newest --------------------------------------------------------------------------------------------

Loaded Shelf::pop(uint32_t wanted, SpareMagazines* spare) {
    const Loaded* const newest = top();
    if (newest == nullptr || newest->count() > wanted) {
        return {};
    }
    const Loaded taken = *newest;
    change(front_count_, -1U);
    const MagazineNumber empty = spare != nullptr ? spare->take() : MagazineNumber{};
    if (!empty.is_none()) {
        front_[front_count_] = Loaded(empty, 0);
        change(front_empties_, 1);
    } else {
        front_[front_count_] = front_[front_count_ + front_empties_];  // the empty ones stay without a gap
    }
    change_objects(-taken.count());
    return taken;
}

void Shelf::take(void** out, uint32_t count) {
    top()->take(out, count);
    change_objects(-count);
}

void Shelf::push(Loaded magazine, SpareMagazines* spare) {
    if (front_count_ == kFront) {
        move_to_rest();
    }
    Loaded& place = front_[front_count_];
    if (front_empties_ != 0 && spare != nullptr && spare->keep(place.magazine())) {
        change(front_empties_, -1U);
    } else if (front_count_ + front_empties_ != kFront) {
        front_[front_count_ + front_empties_] = place;
    } else {
        Loaded& other = rest_[rest_count_ + rest_empties_];
        lock_counts::note_line(&other);
        other = place;
        change(front_empties_, -1U);
        change(rest_empties_, 1);
    }
    place = magazine;
    change(front_count_, 1);
    change_objects(magazine.count());
}

bool Shelf::add(void* const* objects, uint32_t count) {
    Loaded* const newest = top();
    if (newest == nullptr || newest->room() < count) {
        return false;
    }
    newest->add(objects, count);
    change_objects(count);
    return true;
}

// ---- the oldest --------------------------------------------------------------------------------------------

void Shelf::push_behind(Loaded magazine) {
    Loaded* const end = rest_ + rest_count_ + rest_empties_;
    std::copy_backward(rest_, end, end + 1);
    rest_[0] = magazine;
    change(rest_count_, 1);
    least_objects_ += magazine.count();  // not needed in this interval
    change_objects(magazine.count());
}

bool Shelf::add_behind(void* const* objects, uint32_t count) {
    if (objects_ == 0 || lowest().room() < count) {
        return false;
    }
    lowest().add_behind(objects, count);
    least_objects_ += count;
    change_objects(count);
    return true;
}

Shelf::Dropped Shelf::drop_oldest(uint32_t count, uint32_t more, void** buffer) {
    Loaded& oldest = lowest();
    if (oldest.count() > count + more) {
        oldest.take_oldest(buffer, count);
        change_objects(-count);
        return {buffer, count, {}};
    }
    const Dropped dropped{oldest.newest(), oldest.count(), oldest.magazine()};
    remove_lowest();
    change_objects(-dropped.count);
    return dropped;
}

// ---- empty magazines ---------------------------------------------------------------------------------------

MagazineNumber Shelf::take_empty() {
    if (front_empties_ != 0) {
        change(front_empties_, -1U);
        return front_[front_count_ + front_empties_].magazine();
    }
    if (rest_empties_ != 0) {
        change(rest_empties_, -1U);
        const Loaded& place = rest_[rest_count_ + rest_empties_];
        lock_counts::note_line(&place);
        return place.magazine();
    }
    return {};
}

}  // namespace hotlane
