// SPDX-License-Identifier: MIT
//
// An array whose addresses are reserved at once and whose memory is taken as it fills; elements never move.
// Knows nothing of what it holds.
// Used by the profiler's tables.
#pragma once

#include "base/os.h"

namespace hotlane {

/// Elements begin as zeros and need no destructor. Not thread-safe: the owner locks.
template <class T>
class GrowingArray {
  public:
    /// Room for `most` elements, or for fewer (at least `least`) where addresses are scarce. False: not even
    /// those.
    bool reserve(size_t most, size_t least) {
        for (size_t count = most; begin_ == nullptr && count >= least; count /= 2) {
            begin_ = static_cast<T*>(os::reserve(round_up(count * sizeof(T), kStep), kPageSize));
            capacity_ = begin_ == nullptr ? 0 : count;
        }
        return begin_ != nullptr;
    }
    /// The addresses go back.
    void unreserve() {
        if (begin_ != nullptr) {
            os::unreserve(begin_, round_up(capacity_ * sizeof(T), kStep));
            *this = GrowingArray{};
        }
    }
    /// Makes the first `count` elements usable. False: no room, or no memory; then nothing changed.
    [[nodiscard]] bool extend_to(size_t count) {
        const size_t bytes = round_up(count * sizeof(T), kStep);
        if (bytes <= usable_bytes_) {
            return true;
        }
        if (count > capacity_ ||
            !os::commit(reinterpret_cast<std::byte*>(begin_) + usable_bytes_, bytes - usable_bytes_)) {
            return false;
        }
        usable_bytes_ = bytes;
        return true;
    }

    T& operator[](size_t index) const { return begin_[index]; }
    T* begin() const { return begin_; }
    size_t capacity() const { return capacity_; }
    size_t usable_bytes() const { return usable_bytes_; }

  private:
    static constexpr size_t kStep = 256 * KiB;

    T* begin_ = nullptr;
    size_t capacity_ = 0;  // elements
    size_t usable_bytes_ = 0;
};

}  // namespace hotlane
