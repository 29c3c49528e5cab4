// SPDX-License-Identifier: MIT
//
// Numbers the distinct addresses of a profile.
#pragma once

#include "base/base.h"

namespace hotlane::pprof {

/// A hash table in memory that is mapped for it alone, so that a profile can be written anywhere. Not thread-safe.
class AddressTable {
  public:
    struct Entry {
        uintptr_t address;
        uint64_t number;  // from 1; 0: the place is free
    };

    AddressTable() = default;
    ~AddressTable();
    AddressTable(const AddressTable&) = delete;
    AddressTable& operator=(const AddressTable&) = delete;

    /// Returns the number of the address, which it gets now if it has none. Returns 0 if there is no memory. O(1).
    uint64_t number_of(uintptr_t address);
    /// Sorts the entries by address, and returns the first of count(). number_of() must not be called afterwards.
    const Entry* sort();
    size_t count() const { return count_; }

  private:
    static constexpr size_t kFirstCapacity = 1024;

    Entry& place_of(uintptr_t address) const;
    bool grow();

    Entry* entries_ = nullptr;
    size_t capacity_ = 0;  // a power of two, or 0; at most half of it is used
    size_t count_ = 0;
};

}  // namespace hotlane::pprof
