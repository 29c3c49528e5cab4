// SPDX-License-Identifier: MIT
//
// Which shelf and which store a processor uses, and their set-up.
#include "depot/depot_domains.h"

#include "maintenance/tuning.h"
#include "platform/os.h"

#include <algorithm>
#include <bit>
#include <new>

namespace hotlane {

constinit std::atomic<Depot::Domain*> Depot::domains_[kMostDomains] = {};

namespace {

/// How many neighbouring processors share a shelf, and how many share spans: the binary logarithms, because a division takes
/// as long as an atomic operation.
constinit uint32_t log2_of_shelf = 0;
HOTLANE_DATA_OF_EVERY_PROCESS constinit uint32_t log2_of_store = std::countr_zero(tuning::kProcessorsOfStore);
constinit uint32_t last_store = 0;  // a power of two, minus one

}  // namespace

void Depot::set_up_domains() {
    const auto processors = static_cast<uint32_t>(divide_up(os::cpu_count(), kMostDomains));
    log2_of_shelf = static_cast<uint32_t>(std::bit_width(processors - 1));
    log2_of_store = std::max<uint32_t>(log2_of_shelf, std::countr_zero(tuning::kProcessorsOfStore));
    last_store = std::bit_ceil(((os::cpu_count() - 1) >> log2_of_store) + 1) - 1;
}

size_t Depot::section_metadata_bytes() { return (last_store + 1) * SpanSet::kBytesOfStore; }

uint32_t Depot::own_shelf_number() { return (os::processor() >> log2_of_shelf) % kMostDomains; }

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
    const uint32_t number = own_shelf_number();
    if (!is_set(shelves_, number)) [[unlikely]] {
        Domain* const memory = domain_memory(number);
        if (memory == nullptr) {
            return nullptr;
        }
        LockGuard guard(lock_);
        if (shelves_.load(std::memory_order_relaxed) == 0) {
            capacity_.store(tuning::shelves_capacity(size_classes[class_].object_size, 0),
                            std::memory_order_relaxed);
        }
        if (!is_set(shelves_, number)) {
            new (&memory->shelves[class_]) Shelf;
            shelves_.fetch_or(1U << number, std::memory_order_release);
        }
    }
    return &shelf(number);
}

/// The number of the store in which the processor opens its spans. The store is set up on first use.
uint32_t Depot::own_store() {
    const uint32_t number = (os::processor() >> log2_of_store) & last_store;
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

}  // namespace hotlane
