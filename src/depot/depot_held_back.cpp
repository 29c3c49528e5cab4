// SPDX-License-Identifier: MIT
//
// Frees of single objects, which are held back for a while so that a second free of them is noticed.
#include "depot/depot_domains.h"

#include "depot/held_back.h"

#include <algorithm>
#include <iterator>

namespace hotlane {

namespace {

/// Not members of the depots, because few processes touch them.
constinit HeldBack held_back[kMaxClasses];
/// While false, the memory of held_back was never touched.
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<bool> holds_back{false};

void* hold_back(ClassIndex c, void* object) {
    if (!holds_back.load(std::memory_order_relaxed)) {
        holds_back.store(true, std::memory_order_relaxed);
    }
    return held_back[c].add(object);
}

}  // namespace

HOTLANE_IN_EVERY_PROCESS void Depot::forget_held_back() {
    if (holds_back) {
        std::fill(std::begin(held_back), std::end(held_back), HeldBack{});
    }
}

HOTLANE_IN_EVERY_PROCESS void Depot::return_held_back() {
    if (!holds_back) {
        return;
    }
    LockGuard guard(lock_);
    held_back[class_].take_all([this](void* object) {
        add_relaxed(held_, -1);
        return_to_spans(&object, 1, "free");
    });
}

HOTLANE_IN_EVERY_PROCESS void Depot::put_back_late(void* object) {
    Shelf* const shelf = own_shelf();
    LockGuard guard(lock_);
    region.note_surplus();
    void* const displaced = hold_back(class_, object);
    add_relaxed(held_, displaced != nullptr ? 0 : 1);
    if (displaced == nullptr) {
        return;
    }
    if (shelf != nullptr) {
        put_few(*shelf, &displaced, 1, nullptr, How::used);
    } else {
        return_to_spans(&displaced, 1, "free");
    }
}

bool Depot::put_back_checked(void* object, Operation operation) {
    LockGuard guard(lock_);
    if (const PutBackResult result = judge(object); result != PutBackResult::ok) {
        report_refused(class_, object, result, operation);
        return false;
    }
    region.note_surplus();
    void* const displaced = hold_back(class_, object);
    if (displaced != nullptr) {
        return_to_spans(&displaced, 1, operation);
    } else {
        add_relaxed(held_, 1);
    }
    return true;
}

uint32_t Depot::undo_newest_frees() {
    if (!holds_back) {
        return 0;
    }
    LockGuard guard(lock_);
    uint32_t count = 0;
    held_back[class_].take_others([&count](void*) { ++count; });
    add_relaxed(held_, -int64_t{count});
    return count;
}

bool Depot::is_live(const void* object) {
    LockGuard guard(lock_);
    return judge(object) == PutBackResult::ok;
}

/// If the page has left the class since the first free of the pointer, this is a double free, too. The caller holds the
/// depot's lock.
PutBackResult Depot::judge(const void* object) {
    if (held_back[class_].holds(object)) {
        return PutBackResult::double_free;
    }
    while (page_has_class(object, class_)) {
        const uint32_t number = span_containing(object)->store();
        LockGuard guard(store(number).lock);
        const Span* const span = span_containing(object);
        if (page_has_class(object, class_) && span->store() == number) {
            return span->judge(region_view.base, object);
        }
    }
    return PutBackResult::double_free;
}

}  // namespace hotlane
