// SPDX-License-Identifier: MIT
//
// The shelves and stores of a class, of which each belongs to a domain: a few neighbouring processors.
#pragma once

#include "depot/depot.h"

namespace hotlane {

/// What a domain has for all classes. It is mapped when its first object comes back, so that it does not count as data
/// of the process before it is needed. Each class sets up its part on first use.
struct Depot::Domain {
    Shelf shelves[kMaxClasses];
    SpanStore stores[kMaxClasses];  // the first domain's are in the depots
};

inline Shelf& Depot::shelf(uint32_t number) const {
    return domains_[number].load(std::memory_order_acquire)->shelves[class_];
}

inline SpanStore& Depot::store(uint32_t number) {
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

}  // namespace hotlane
