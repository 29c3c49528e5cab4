// SPDX-License-Identifier: MIT
//
// Refill and flush on the depot's side: objects move between threads, shelves and spans.
#include "depot/depot.h"

#include "base/bits.h"
#include "depot/depot_domains.h"
#include "maintenance/tuning.h"
#include "sync/lock_counts.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace hotlane {

constinit Depots depots{std::make_integer_sequence<ClassIndex, kMaxClasses>()};

bool is_object_start(const void* p, size_t* object_size) {
    const Span* span = span_containing(p);
    const SizeClass& c = size_classes[span->size_class()];
    const size_t offset = address_of(p) - span->first_object(region_view.base);
    *object_size = c.object_size;
    const uint32_t i = c.index_of(offset);
    return size_t{i} * c.object_size == offset && i < c.object_count;
}

namespace {

MagazineNumber take_magazine(SpareMagazines* spare) {
    const MagazineNumber magazine = spare != nullptr ? spare->take() : MagazineNumber{};
    return magazine.is_none() ? magazines::take() : magazine;
}

void give_magazine(MagazineNumber magazine, SpareMagazines* spare) {
    if (spare == nullptr || !spare->keep(magazine)) {
        magazines::put(magazine);
    }
}

}  // namespace

// ---- refill ------------------------------------------------------------------------------------------------

uint32_t Depot::refill_from_shelves(void** out, uint32_t count, SpareMagazines* spare) {
    uint32_t taken = 0;
    find(shelves_, own_shelf_number(), [&](uint32_t number) {
        Shelf& found = shelf(number);
        taken = found.objects() != 0 ? take_from_shelf(found, out, count, spare) : 0;
        return taken != 0;
    });
    return taken;
}

/// Whole magazines are emptied after the shelf is unlocked. In their place, the shelf gets the thread's empty ones.
uint32_t Depot::take_from_shelf(Shelf& shelf, void** out, uint32_t count, SpareMagazines* spare) {
    constexpr uint32_t kMostAtOnce = 4;
    Loaded whole[kMostAtOnce];
    uint32_t wholes = 0;
    uint32_t taken = 0;
    {
        LockGuard guard(shelf.lock);
        while (wholes != kMostAtOnce && taken != count) {
            const Loaded top = shelf.pop(count - taken, spare);
            if (top.count() == 0) {
                break;
            }
            whole[wholes++] = top;
            taken += top.count();
        }
        if (wholes == 0) {
            if (shelf.objects() == 0) {
                return 0;
            }
            shelf.take(out, count);  // the top magazine has more
            return count;
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

uint32_t Depot::refill_from_spans(void** out, uint32_t count, bool may_grow, bool* zeroed,
                                  RegionFailure* why) {
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
    lock_counts::note_exchange(&from_spans_);
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

void Depot::put_on_shelf(void* const* objects, uint32_t count, SpareMagazines* spare, How how) {
    region.note_surplus();
    Shelf* const shelf = own_shelf();
    // The newest come last, so that they are on top.
    for (uint32_t left = count; left != 0;) {
        const uint32_t some = std::min(left, kMostPut);
        left -= some;
        if (shelf == nullptr) {
            return_to_spans(objects + left, some, "free");
        } else if (some > Shelf::kFew) {
            put_many(*shelf, objects + left, some, spare, how);
        } else {
            put_few(*shelf, objects + left, some, spare, how);
        }
    }
}

/// Puts up to kMostPut objects, in magazines that are filled before the shelf is locked. What exceeds the capacity goes
/// to the spans when the shelf is unlocked.
void Depot::put_many(Shelf& shelf, void* const* objects, uint32_t count, SpareMagazines* spare, How how) {
    constexpr uint32_t kMagazines = kMostPut / Magazine::kSlots;
    Loaded filled[kMagazines];  // the one with the newest objects comes last
    uint32_t magazines = 0;
    uint32_t left = count;
    for (const uint32_t parts = divide_up(count, Magazine::kSlots); magazines != parts; ++magazines) {
        const MagazineNumber magazine = take_magazine(spare);
        if (magazine.is_none()) {
            break;
        }
        const uint32_t some = left / (parts - magazines);
        left -= some;
        filled[magazines] = Loaded(magazine, 0);
        filled[magazines].add(objects + left, some);
    }
    const uint32_t allowed = allowance(shelf);
    void* buffer[Magazine::kSlots];
    Surplus surplus;
    {
        LockGuard guard(shelf.lock);
        for (uint32_t i = 0; i != magazines && !shelf.is_full(); ++i) {
            how == How::used ? shelf.push(filled[i], spare) : shelf.push_behind(filled[i]);
            filled[i] = {};
        }
        surplus = drop_surplus(shelf, allowed, buffer);
    }
    for (uint32_t i = 0; i != magazines; ++i) {
        return_dropped(
            {filled[i].count() != 0 ? filled[i].newest() : nullptr, filled[i].count(), filled[i].magazine()},
            spare);
    }
    if (left != 0) {  // there was no magazine for them
        return_to_spans(objects, left, "free");
    }
    return_surplus(shelf, surplus, allowed, buffer, spare);
}

/// Copies objects into a magazine that lies on the shelf.
void Depot::put_few(Shelf& shelf, void* const* objects, uint32_t count, SpareMagazines* spare, How how) {
    const uint32_t allowed = allowance(shelf);
    void* buffer[Magazine::kSlots];
    Surplus surplus;
    bool is_done = false;
    {
        LockGuard guard(shelf.lock);
        is_done = add_few(shelf, objects, count, spare, how);
        surplus = drop_surplus(shelf, allowed, buffer);
    }
    if (!is_done) {
        return_to_spans(objects, count, "free");
    }
    return_surplus(shelf, surplus, allowed, buffer, spare);
}

/// Returns false if there is no magazine for them.
bool Depot::add_few(Shelf& shelf, void* const* objects, uint32_t count, SpareMagazines* spare, How how) {
    if (how == How::used ? shelf.add(objects, count) : shelf.add_behind(objects, count)) {
        return true;
    }
    MagazineNumber magazine = shelf.take_empty();
    if (magazine.is_none()) {
        magazine = take_magazine(spare);
    }
    if (magazine.is_none()) {
        return false;
    }
    Loaded filled(magazine, 0);
    filled.add(objects, count);
    how == How::used ? shelf.push(filled, nullptr) : shelf.push_behind(filled);
    return true;
}

/// Returns what was dropped, and drops more as long as there is more. One magazine at a time.
void Depot::return_surplus(Shelf& shelf, Surplus surplus, uint32_t allowed, void** buffer,
                           SpareMagazines* spare) {
    while (return_dropped(surplus.dropped, spare) && surplus.is_more) {
        LockGuard guard(shelf.lock);
        surplus = drop_surplus(shelf, allowed, buffer);
    }
}

/// How many objects the shelf may keep: its share, or more if the others have less than theirs. They are looked at only if
/// the shelf has its share already, and before it is locked: that takes less time than to give objects back that are
/// soon needed again.
uint32_t Depot::allowance(const Shelf& shelf) const {
    const uint32_t capacity = capacity_.load(std::memory_order_relaxed);
    const auto shelves = count_ones(shelves_.load(std::memory_order_relaxed));
    const uint32_t share = tuning::shelf_share(capacity, shelves);
    const uint32_t objects = shelf.objects();
    if (shelves == 1 || objects + kMostPut <= share) {
        return share;
    }
    const uint64_t others = shelved() - std::min<uint64_t>(objects, shelved());
    return std::max(share, capacity - static_cast<uint32_t>(std::min<uint64_t>(others, capacity)));
}

/// Drops some of what exceeds the allowance. Leaves room for a magazine.
Depot::Surplus Depot::drop_surplus(Shelf& shelf, uint32_t allowed, void** buffer) {
    const auto excess = [&] {
        const uint32_t objects = shelf.objects();
        return shelf.is_full() ? Magazine::kSlots : objects - std::min(objects, allowed);
    };
    const uint32_t too_many = excess();
    if (too_many == 0 || shelf.objects() == 0) {
        return {};
    }
    const Shelf::Dropped dropped = shelf.drop_oldest(too_many, Shelf::kFew, buffer);
    return {dropped, excess() != 0};
}

/// Returns whether there were any.
bool Depot::return_dropped(const Shelf::Dropped& dropped, SpareMagazines* spare) {
    if (dropped.count == 0) {
        return false;
    }
    return_to_spans(dropped.objects, dropped.count, "free");
    if (!dropped.magazine.is_none()) {
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
            lock_counts::note_prefetch(region.span_metadata(page));
            last = page.value;
        }
    }
}

/// Returns how many objects were returned; the others are reported.
uint32_t Depot::return_to_spans(void* const* objects, uint32_t count, Operation operation) {
    const bool is_shared = !std::has_single_bit(shelves_.load(std::memory_order_relaxed));
    if (count > 1 && (is_shared || lock_counts::kIsOn)) {
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
    lock_counts::note_exchange(&from_spans_);
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
