// SPDX-License-Identifier: MIT
//
// What the depot does beside its requests: set-up, maintenance, statistics and fork.
#include "depot/depot_domains.h"

#include "maintenance/tuning.h"

#include <algorithm>

namespace hotlane {

void Depot::set_up_all() {
    forget_held_back();
    set_up_domains();
}

void Depot::reap(bool everything) {
    if (everything) {
        return_held_back();
    }
    if (shelves_.load(std::memory_order_relaxed) == 0) {
        return;  // a write would touch a page for nothing
    }
    for_each_shelf([&](Shelf& shelf) { reap_shelf(shelf, everything); });
    const size_t bytes = size_classes[class_].object_size;
    const auto live = static_cast<uint64_t>(std::max<int64_t>(outside(), 0)) * bytes;
    capacity_.store(tuning::shelves_capacity(bytes, live), std::memory_order_relaxed);
}

void Depot::reap_shelf(Shelf& shelf, bool everything) {
    if (shelf.objects() == 0 && shelf.empties() <= SpareMagazines::kMost) {
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
    while (shelf.empties() > SpareMagazines::kMost) {
        magazines::put(shelf.take_empty());
    }
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

size_t Depot::taken_bytes() const {
    const int64_t objects =
        from_spans_.load(std::memory_order_relaxed);  // below 0 while a refill counts late
    return static_cast<size_t>(std::max<int64_t>(objects, 0)) * size_classes[class_].object_size;
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
