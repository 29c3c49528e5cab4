// SPDX-License-Identifier: MIT
//
// Refill and flush on the depot's side: objects move between threads, shelves and spans.
#include "depot/depot.h"

#include "maintenance/tuning.h"
#include "platform/os.h"
#include "sync/lock_counts.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <new>
#include <utility>

namespace hotlane {

constinit Depot depots[kMaxClasses];

bool is_object_start(const void* p, size_t* object_size) {
    const Span* span = span_containing(p);
    const SizeClass& c = size_classes[span->size_class()];
    const size_t offset = address_of(p) - address_of(region.address(span->first_page()));
    *object_size = c.object_size;
    const uint32_t i = c.index_of(offset);
    return size_t{i} * c.object_size == offset && i < c.object_count;
}

/// What a domain has for all classes. It is mapped when its first object comes back, so that it does not count as data
/// of the process before it is needed. Each class sets up its part on first use.
struct Depot::Domain {
    Shelf shelves[kMaxClasses];
    SpanStore stores[kMaxClasses];  // the first domain's are in the depots
};

namespace {

/// Not members of the depots, because few processes touch them.
constinit HeldBack held_back[kMaxClasses];
constinit std::atomic<bool> holds_back{false};  // while false, the memory of held_back was never touched

void* hold_back(ClassIndex c, void* object) {
    if (!holds_back.load(std::memory_order_relaxed)) {
        holds_back.store(true, std::memory_order_relaxed);
    }
    return held_back[c].add(object);
}

/// How many neighbouring processors share a shelf, and how many share spans.
constinit uint32_t processors_of_shelf = 1;
constinit uint32_t processors_of_store = tuning::kProcessorsOfStore;

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

// ---- set-up ------------------------------------------------------------------------------------------------

void Depot::set_up_all() {
    if (holds_back) {
        std::fill(std::begin(held_back), std::end(held_back), HeldBack{});
    }
    processors_of_shelf = static_cast<uint32_t>(divide_up(os::cpu_count(), kMostDomains));
    processors_of_store = std::max(processors_of_shelf, tuning::kProcessorsOfStore);
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].class_ = c;
        depots[c].capacity_.store(tuning::shelf_capacity(size_classes[c].object_size, 0, 1),
                                  std::memory_order_relaxed);
    }
}

constinit std::atomic<Depot::Domain*> Depot::domains_[kMostDomains] = {};

/// Returns the domain's memory, which it maps on first use. Null if the system has none.
Depot::Domain* Depot::domain_memory(uint32_t domain) {
    // Pairs with the exchange below, made by another class.
    Domain* memory = domains_[domain].load(std::memory_order_acquire);
    if (memory == nullptr) {
        const size_t bytes = round_up(sizeof(Domain), os::page_size());
        auto* const fresh = static_cast<Domain*>(os::map(bytes));
        if (fresh == nullptr ||
            domains_[domain].compare_exchange_strong(memory, fresh, std::memory_order_acq_rel)) {
            return fresh;
        }
        os::unmap(fresh, bytes);  // another class was first
    }
    return memory;
}

/// The shelf of the processor, which is set up on first use. Null if there is no memory.
Shelf* Depot::own_shelf() {
    const uint32_t number = os::processor() / processors_of_shelf % kMostDomains;
    if (!is_set(shelves_, number)) [[unlikely]] {
        Domain* const memory = domain_memory(number);
        if (memory == nullptr) {
            return nullptr;
        }
        LockGuard guard(lock_);
        if (!is_set(shelves_, number)) {
            new (&memory->shelves[class_]) Shelf;
            shelves_.fetch_or(1U << number, std::memory_order_release);
        }
    }
    return &shelf(number);
}

/// The number of the store in which the processor opens its spans. The store is set up on first use.
uint32_t Depot::own_store() {
    const uint32_t number = os::processor() / processors_of_store % kMostDomains;
    if (!is_set(stores_, number)) [[unlikely]] {
        Domain* const memory = domain_memory(number);
        if (memory == nullptr) {
            return 0;
        }
        LockGuard guard(lock_);
        if (!is_set(stores_, number)) {
            new (&memory->stores[class_]) SpanStore;
            stores_.fetch_or(1U << number, std::memory_order_release);
        }
    }
    return number;
}

Shelf& Depot::shelf(uint32_t number) const {
    return domains_[number].load(std::memory_order_acquire)->shelves[class_];
}

SpanStore& Depot::store(uint32_t number) {
    return number == 0 ? first_store_ : domains_[number].load(std::memory_order_acquire)->stores[class_];
}

/// Calls `visit` with the number of each shelf or store that is set up, the nearest to `own` first, until it returns
/// true. Neighbouring numbers belong to neighbouring processors.
template <typename Visit>
void Depot::find(const std::atomic<uint32_t>& set_up, uint32_t own, Visit visit) {
    uint32_t left = set_up.load(std::memory_order_acquire);
    for (uint32_t distance = 0; left != 0; ++distance) {
        const uint32_t number = own ^ distance;
        if ((left >> number & 1) != 0 && visit(number)) {
            return;
        }
        left &= ~(1U << number);
    }
}

template <typename Visit>
void Depot::for_each_shelf(Visit visit) const {
    find(shelves_, 0, [&](uint32_t number) {
        visit(shelf(number));
        return false;
    });
}

template <typename Visit>
void Depot::for_each_store(Visit visit) {
    find(stores_, 0, [&](uint32_t number) {
        visit(store(number));
        return false;
    });
}

// ---- refill ------------------------------------------------------------------------------------------------

uint32_t Depot::refill(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why,
                       Magazine** spare) {
    *zeroed = false;
    uint32_t taken = 0;
    find(shelves_, os::processor() / processors_of_shelf % kMostDomains, [&](uint32_t number) {
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
            const auto* const metadata = static_cast<const std::byte*>(region.span_metadata(page));
            __builtin_prefetch(metadata, 1);
            __builtin_prefetch(metadata + 64, 1);
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
        LockGuard guard(first_store_.lock);
        returned = first_store_.put_back(class_, objects, count, operation);
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
    while (count != 0) {
        const uint32_t number = number_of(objects[0]);
        uint32_t left = 0;
        SpanStore& store = this->store(number);
        LockGuard guard(store.lock);
        for (uint32_t at = 0; at != count;) {
            uint32_t end = at;
            while (end != count && number_of(objects[end]) == number) {
                ++end;
            }
            returned += store.put_back(class_, objects + at, end - at, operation);
            at = end;
            if (at != count) {
                others[left++] = objects[at++];  // left <= at, so this may be done in place
            }
        }
        objects = others;
        count = left;
    }
    return returned;
}

// ---- single frees ------------------------------------------------------------------------------------------

void Depot::put_back_late(void* object) {
    Shelf* const shelf = own_shelf();
    LockGuard guard(lock_);
    region.note_surplus();
    void* const displaced = hold_back(class_, object);
    add_relaxed(held_, displaced != nullptr ? 0 : 1);
    if (displaced == nullptr) {
        return;
    }
    if (shelf != nullptr) {
        put_some(*shelf, &displaced, 1, nullptr, How::used);
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

// ---- maintenance, statistics and fork ----------------------------------------------------------------------

void Depot::reap(bool everything) {
    if (everything && holds_back) {
        LockGuard guard(lock_);
        held_back[class_].take_all([this](void* object) {
            add_relaxed(held_, -1);
            return_to_spans(&object, 1, "free");
        });
    }
    for_each_shelf([&](Shelf& shelf) { reap_shelf(shelf, everything); });
    const size_t bytes = size_classes[class_].object_size;
    const auto live = static_cast<uint64_t>(std::max<int64_t>(outside(), 0)) * bytes;
    const auto shelves = static_cast<uint32_t>(std::popcount(shelves_.load(std::memory_order_relaxed)));
    capacity_.store(tuning::shelf_capacity(bytes, live, std::max(shelves, 1U)), std::memory_order_relaxed);
}

void Depot::reap_shelf(Shelf& shelf, bool everything) {
    if (shelf.objects() == 0) {
        return;
    }
    void* buffer[Magazine::kSlots];
    shelf.lock.lock();
    uint32_t left = everything ? shelf.objects() : tuning::reap_count(shelf.least_objects(), shelf.objects());
    while (left != 0 && shelf.objects() != 0) {
        const Shelf::Dropped dropped = shelf.drop_oldest(left, 0, buffer);
        left -= dropped.count;
        shelf.lock.unlock();
        return_dropped(dropped, nullptr);
        shelf.lock.lock();
    }
    shelf.forget_least();
    shelf.lock.unlock();
}

uint64_t Depot::shelved() const {
    uint64_t objects = 0;
    for_each_shelf([&objects](const Shelf& shelf) { objects += shelf.objects(); });
    return objects;
}

/// A double free may make the number negative until the spans notice it.
int64_t Depot::outside() const {
    return from_spans_.load(std::memory_order_relaxed) - static_cast<int64_t>(shelved()) -
           load_relaxed(held_);
}

/// Called when objects came from spans. Between two such visits the shelves were not empty, so what is outside was
/// less.
void Depot::note_peak(int64_t from_spans) {
    if (from_spans > static_cast<int64_t>(peak_outside_.load(std::memory_order_relaxed))) {
        raise_relaxed(peak_outside_, static_cast<uint64_t>(std::max<int64_t>(outside(), 0)));
    }
}

DepotStats Depot::stats() {
    DepotStats stats;
    stats.objects = shelved();
    stats.outside = static_cast<uint64_t>(std::max<int64_t>(outside(), 0));
    stats.peak_outside = peak_outside_.load(std::memory_order_relaxed);
    for_each_store([&stats](SpanStore& store) {
        LockGuard guard(store.lock);
        stats.spans += store.spans();
        stats.fresh += store.fresh();
    });
    return stats;
}

// No shelf and no store is set up meanwhile, because that needs the depot's own lock.
void Depot::lock_all() {
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].lock_.lock();
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].for_each_shelf([](Shelf& shelf) { shelf.lock.lock(); });
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].for_each_store([](SpanStore& store) { store.lock.lock(); });
    }
}

void Depot::unlock_all() {
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].for_each_store([](SpanStore& store) { store.lock.unlock(); });
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].for_each_shelf([](Shelf& shelf) { shelf.lock.unlock(); });
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].lock_.unlock();
    }
}

}  // namespace hotlane
