// SPDX-License-Identifier: MIT
//
// Freed objects of one class that nobody may get yet, with a fast test whether an object is among them. The
// owner must lock.
#pragma once

#include "base/newest_frees.h"

namespace hotlane {

/// The newest frees of threads without a cache.
class HeldBack {
  public:
    /// Adds an object that the calling thread freed. Returns the older object that it displaces, or null.
    void* add(void* object) {
        ++counts_[number_of(object)];
        void* const oldest = frees_.add(object);
        counts_[number_of(oldest)] -= oldest != nullptr ? 1 : 0;
        return oldest;
    }
    bool holds(const void* object) const { return counts_[number_of(object)] != 0 && frees_.holds(object); }
    template <typename Visit>
    void take_all(Visit visit) {
        frees_.take_all([&](void* object) { visit(forget(object)); });
    }
    template <typename Visit>
    void take_others(Visit visit) {
        frees_.take_others([&](void* object) { visit(forget(object)); });
    }

  private:
    static size_t number_of(const void* object) { return address_of(object) * 0x9E3779B97F4A7C15 >> 56; }
    void* forget(void* object) {
        --counts_[number_of(object)];
        return object;
    }

    NewestFrees frees_;
    uint8_t counts_[256] = {};  // how many of the objects have this hash; mostly 0
};

}  // namespace hotlane
