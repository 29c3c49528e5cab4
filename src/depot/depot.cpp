// SPDX-License-Identifier: MIT
//
// Refill and flush on the depot's side: objects move between threads, shelves and spans.
#include "depot/depot.h"

#include "depot/depot_domains.h"
#include "sync/lock_counts.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace hotlane {

constinit Depot depots[kMaxClasses];

bool is_object_start(const void* p, size_t* object_size) {
    const Span* span = span_containing(p);
    const SizeClass& c = size_classes[span->size_class()];
    const PageIndex first = span->first_page();
    const size_t offset = address_of(p) - address_of(region.address(first)) - c.first_object_at(first.value);
    *object_size = c.object_size;
    const uint32_t i = c.index_of(offset);
    return size_t{i} * c.object_size == offset && i < c.object_count;
}

namespace {

Magazine* take_magazine(Magazine** spare) {
    if (spare != nullptr && *spare != nullptr) {
        return std::exchange(*spare, nullptr);
    }
    return magazines::take();
}

void give_magazine(Magazine* magazine, Magazine** spare) {
    if (spare != nullptr && *spare == nullptr) {
        *spare = magazine;
    } else {
        magazines::put(magazine);
    }
}

}  // namespace

// ---- refill ------------------------------------------------------------------------------------------------

uint32_t Depot::refill(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why,
                       Magazine** spare) {
    *zeroed = false;
    uint32_t taken = 0;
    find(shelves_, own_shelf_number(), [&](uint32_t number) {
        Shelf& found = shelf(number);
        taken = found.objects() != 0 ? take_from_shelf(found, out, count, spare) : 0;
        return taken != 0;
    });
    return taken != 0 ? taken : take_from_spans(out, count, may_grow, zeroed, why);
}

/// Whole magazines are emptied after the shelf is unlocked.
uint32_t Depot::take_from_shelf(Shelf& shelf, void** out, uint32_t count, Magazine** spare) {
    constexpr uint32_t kMostAtOnce = 4;
    Loaded whole[kMostAtOnce];
    uint32_t wholes = 0;
    uint32_t taken = 0;
    {
        LockGuard guard(shelf.lock);
        for (; wholes != kMostAtOnce; ++wholes) {
            whole[wholes] = shelf.pop(count - taken);
            if (whole[wholes].count() == 0) {
                break;
            }
            taken += whole[wholes].count();
        }
        if (wholes == 0) {
            if (shelf.objects() == 0) {
                return 0;
            }
            shelf.take(out, count);  // the top magazine has more
            return count;
        }
        if (spare != nullptr && *spare != nullptr && shelf.keep(*spare)) {
            *spare = nullptr;
        }
    }
    for (uint32_t i = 0; i != wholes; ++i) {
        const uint32_t objects = whole[i].count();
        whole[i].take(out, objects);
        out += objects;
        give_magazine(whole[i].magazine(), spare);
    }
    return taken;
}

uint32_t Depot::take_from_spans(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why) {
    const uint32_t own = own_store();
    uint32_t taken = take_from_store(own, out, count, may_grow, false, zeroed, why);
    if (taken == 0) {
        find(stores_, own, [&](uint32_t number) {
            SpanStore& found = store(number);
            if (number != own && found.has_partial()) {
                LockGuard guard(found.lock);
                taken = found.take(out, count, zeroed);
            }
            return taken != 0;
        });
    }
    if (taken == 0) {
        taken = take_from_store(own, out, count, may_grow, true, zeroed, why);
    }
    lock_counts::note_exchange();
    note_peak(from_spans_.fetch_add(taken, std::memory_order_relaxed) + taken);
    return taken;
}

/// Opens spans if `may_open`, or if no other store has any to take from.
uint32_t Depot::take_from_store(uint32_t number, void** out, uint32_t count, bool may_grow, bool may_open,
                                bool* zeroed, RegionFailure* why) {
    may_open = may_open || stores_.load(std::memory_order_relaxed) == 1U << number;
    SpanStore& store = this->store(number);
    LockGuard guard(store.lock);
    uint32_t taken = store.take(out, count, zeroed);
    while (taken != count && (taken != 0 || may_open) &&
           store.open(class_, static_cast<uint8_t>(number), count - taken, may_grow, why)) {
        bool is_zero = false;
        const uint32_t more = store.take(out + taken, count - taken, &is_zero);
        *zeroed = taken != 0 ? *zeroed : is_zero;
        taken += more;
    }
    return taken;
}

// ---- flush -------------------------------------------------------------------------------------------------

void Depot::put_on_shelf(void* const* objects, uint32_t count, Magazine** spare, How how) {
    region.note_surplus();
    Shelf* const shelf = own_shelf();
    // The newest come last, so that they are on top.
    for (uint32_t left = count; left != 0;) {
        const uint32_t some = std::min(left, Magazine::kSlots);
        left -= some;
        if (shelf != nullptr) {
            put_some(*shelf, objects + left, some, spare, how);
        } else {
            return_to_spans(objects + left, some, "free");
        }
    }
}

/// Puts at most as many objects as a magazine holds. Many are copied before the shelf is locked, and few into a
/// magazine that lies there. What exceeds the capacity goes to the spans when the shelf is unlocked.
void Depot::put_some(Shelf& shelf, void* const* objects, uint32_t count, Magazine** spare, How how) {
    Loaded filled;
    if (count > Shelf::kFew) {
        Magazine* const magazine = take_magazine(spare);
        if (magazine == nullptr) {
            return_to_spans(objects, count, "free");
            return;
        }
        filled = Loaded(magazine, 0);
        filled.add(objects, count);
    }
    void* buffer[Magazine::kSlots];
    Surplus surplus;
    bool is_done = true;
    {
        LockGuard guard(shelf.lock);
        if (count > Shelf::kFew) {
            how == How::used ? shelf.push(filled) : shelf.push_behind(filled);
            if (spare != nullptr && *spare == nullptr) {
                *spare = shelf.empty();
            }
        } else {
            is_done = put_few(shelf, objects, count, spare, how);
        }
        surplus = drop_surplus(shelf, buffer);
    }
    if (!is_done) {
        return_to_spans(objects, count, "free");
    }
    while (return_dropped(surplus.dropped, spare) && surplus.is_more) {
        LockGuard guard(shelf.lock);
        surplus = drop_surplus(shelf, buffer);
    }
}

/// Returns false if there is no magazine for them.
bool Depot::put_few(Shelf& shelf, void* const* objects, uint32_t count, Magazine** spare, How how) {
    if (how == How::used ? shelf.add(objects, count) : shelf.add_behind(objects, count)) {
        return true;
    }
    Magazine* magazine = shelf.empty();
    if (magazine == nullptr) {
        magazine = take_magazine(spare);
    }
    if (magazine == nullptr) {
        return false;
    }
    Loaded filled(magazine, 0);
    filled.add(objects, count);
    how == How::used ? shelf.push(filled) : shelf.push_behind(filled);
    return true;
}

/// Drops some of what exceeds the capacity. Leaves room for a magazine.
Depot::Surplus Depot::drop_surplus(Shelf& shelf, void** buffer) const {
    const uint32_t capacity = capacity_.load(std::memory_order_relaxed);
    const auto excess = [&] {
        const uint32_t objects = shelf.objects();
        return shelf.is_full() ? Magazine::kSlots : objects - std::min(objects, capacity);
    };
    const uint32_t too_many = excess();
    if (too_many == 0) {
        return {};
    }
    const Shelf::Dropped dropped = shelf.drop_oldest(too_many, Shelf::kFew, buffer);
    return {dropped, excess() != 0};
}

/// Returns whether there were any.
bool Depot::return_dropped(const Shelf::Dropped& dropped, Magazine** spare) {
    if (dropped.count == 0) {
        return false;
    }
    return_to_spans(dropped.objects, dropped.count, "free");
    if (dropped.magazine != nullptr) {
        give_magazine(dropped.magazine, spare);
    }
    return true;
}

/// Fetches the metadata that a return will change, many lines at once, before a lock is taken for it. Worth its time
/// where other processors may have changed it.
void Depot::prefetch_spans(void* const* objects, uint32_t count) {
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i != count; ++i) {
        const PageIndex page = region.page_containing(objects[i]);
        if (page.value != last) {
            __builtin_prefetch(region.span_metadata(page), 1);
            last = page.value;
        }
    }
}

/// Returns how many objects were returned; the others are reported.
uint32_t Depot::return_to_spans(void* const* objects, uint32_t count, Operation operation) {
    const bool is_shared = !std::has_single_bit(shelves_.load(std::memory_order_relaxed));
    if (count > 1 && is_shared) {
        prefetch_spans(objects, count);
    }
    uint32_t returned = 0;
    if (stores_.load(std::memory_order_acquire) == 1) {
        ClosedSpans closed;
        {
            LockGuard guard(first_store_.lock);
            returned = first_store_.put_back(class_, objects, count, operation, closed);
        }
        closed.put_back(class_, 0);
    } else {
        returned = return_by_store(objects, count, operation);
    }
    from_spans_.fetch_sub(returned, std::memory_order_relaxed);
    lock_counts::note_exchange();
    return returned;
}

/// Returns objects of different stores store by store, with one lock at a time.
uint32_t Depot::return_by_store(void* const* objects, uint32_t count, Operation operation) {
    const auto number_of = [this](const void* object) -> uint32_t {
        return page_has_class(object, class_) ? span_containing(object)->store() : 0;
    };
    uint32_t returned = 0;
    void* others[Magazine::kSlots];
    ClosedSpans closed;
    while (count != 0) {
        const uint32_t number = number_of(objects[0]);
        uint32_t left = 0;
        SpanStore& store = this->store(number);
        store.lock.lock();
        for (uint32_t at = 0; at != count;) {
            uint32_t end = at;
            while (end != count && number_of(objects[end]) == number) {
                ++end;
            }
            returned += store.put_back(class_, objects + at, end - at, operation, closed);
            at = end;
            if (at != count) {
                others[left++] = objects[at++];  // left <= at, so this may be done in place
            }
        }
        store.lock.unlock();
        closed.put_back(class_, number);
        objects = others;
        count = left;
    }
    return returned;
}

}  // namespace hotlane
