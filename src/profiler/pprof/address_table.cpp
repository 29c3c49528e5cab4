// SPDX-License-Identifier: MIT
//
// A hash table with linear probing that doubles.
#include "profiler/pprof/address_table.h"

#include "platform/os.h"

#include <algorithm>

namespace hotlane::pprof {

AddressTable::~AddressTable() {
    if (entries_ != nullptr) {
        os::unmap(entries_, capacity_ * sizeof(Entry));
    }
}

AddressTable::Entry& AddressTable::place_of(uintptr_t address) const {
    constexpr uint64_t kMix = 0x9E3779B97F4A7C15;
    size_t at = address * kMix >> 32 & (capacity_ - 1);
    while (entries_[at].number != 0 && entries_[at].address != address) {
        at = (at + 1) & (capacity_ - 1);
    }
    return entries_[at];
}

bool AddressTable::grow() {
    AddressTable larger;
    const size_t capacity = capacity_ == 0 ? kFirstCapacity : 2 * capacity_;
    larger.entries_ = static_cast<Entry*>(os::map(capacity * sizeof(Entry)));
    if (larger.entries_ == nullptr) {
        return false;
    }
    larger.capacity_ = capacity;
    for (size_t i = 0; i < capacity_; ++i) {
        if (entries_[i].number != 0) {
            larger.place_of(entries_[i].address) = entries_[i];
        }
    }
    std::swap(entries_, larger.entries_);
    std::swap(capacity_, larger.capacity_);
    return true;
}

uint64_t AddressTable::number_of(uintptr_t address) {
    if (2 * (count_ + 1) > capacity_ && !grow()) {
        return 0;
    }
    Entry& place = place_of(address);
    if (place.number == 0) {
        place = {.address = address, .number = ++count_};
    }
    return place.number;
}

const AddressTable::Entry* AddressTable::sort() {
    Entry* const end = entries_ + capacity_;
    Entry* const used_end =
        std::remove_if(entries_, end, [](const Entry& entry) { return entry.number == 0; });
    std::sort(entries_, used_end, [](const Entry& a, const Entry& b) { return a.address < b.address; });
    return entries_;
}

}  // namespace hotlane::pprof
