// SPDX-License-Identifier: MIT
//
// An array that reserves addresses and commits memory as it fills. Its elements never move.
#pragma once

#include "platform/os.h"
#include "platform/quiet_addresses.h"

#include <atomic>

namespace hotlane {

/// Bytes of address space that all these arrays have reserved together. In a process with limited memory they
/// may reserve a quarter of the limit; the program needs the rest.
inline constinit std::atomic<size_t> growing_arrays_bytes{0};

inline bool charge_growing_arrays(size_t bytes) {
    const size_t before = growing_arrays_bytes.fetch_add(bytes, std::memory_order_relaxed);
    const bool fits = before + bytes <= os::memory_limit() / 4;
    if (!fits) {
        growing_arrays_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    }
    return fits;
}

/// Elements are initially zero and need no destructor. Not thread-safe: the owner locks.
template <class T>
class GrowingArray {
  public:
    /// Reserves addresses for `most` elements, or for fewer (at least `least`) if addresses are scarce.
    /// Returns false if not even `least` fit.
    bool reserve(size_t most, size_t least) {
        const uintptr_t place = quiet_address(round_up(most * sizeof(T), kStep));
        const Reservation reserved = reserve_step(place, kStep);
        if (reserved == Reservation::granted) {
            begin_ = static_cast<T*>(pointer_to(place));
            capacity_ = most;
            reserved_bytes_ = kStep;
        }
        if (reserved != Reservation::occupied) {
            return begin_ != nullptr;
        }
        // If the kernel does not honour address hints, reserve everything at once.
        for (size_t count = most; begin_ == nullptr && count >= least; count /= 2) {
            reserved_bytes_ = round_up(count * sizeof(T), kStep);
            begin_ = static_cast<T*>(os::reserve(reserved_bytes_, kRegionPageSize));
            capacity_ = begin_ == nullptr ? 0 : count;
            growing_arrays_bytes.fetch_add(begin_ == nullptr ? 0 : reserved_bytes_,
                                           std::memory_order_relaxed);
        }
        return begin_ != nullptr;
    }
    /// Gives the addresses back.
    void unreserve() {
        if (begin_ != nullptr) {
            os::unreserve(begin_, reserved_bytes_);
            growing_arrays_bytes.fetch_sub(reserved_bytes_, std::memory_order_relaxed);
            *this = GrowingArray{};
        }
    }
    /// Makes the first `count` elements usable. Returns false, and changes nothing, if there is no room or no
    /// memory.
    [[nodiscard]] bool extend_to(size_t count) {
        const size_t bytes = round_up(count * sizeof(T), kStep);
        if (bytes <= usable_bytes_) {
            return true;
        }
        if (count > capacity_ || !reserve_bytes(bytes) ||
            !os::commit(pointer_to(address_of(begin_) + usable_bytes_), bytes - usable_bytes_)) {
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

    bool reserve_bytes(size_t bytes) {
        if (bytes > reserved_bytes_) {
            const uintptr_t end = address_of(begin_) + reserved_bytes_;
            if (reserve_step(end, bytes - reserved_bytes_) != Reservation::granted) {
                return false;
            }
            reserved_bytes_ = bytes;
        }
        return true;
    }
    static Reservation reserve_step(uintptr_t at, size_t bytes) {
        if (!charge_growing_arrays(bytes)) {
            return Reservation::refused;
        }
        const Reservation reserved = os::reserve_at(at, bytes);
        if (reserved != Reservation::granted) {
            growing_arrays_bytes.fetch_sub(bytes, std::memory_order_relaxed);
        }
        return reserved;
    }

    T* begin_ = nullptr;
    size_t capacity_ = 0;  // elements
    size_t reserved_bytes_ = 0;
    size_t usable_bytes_ = 0;
};

}  // namespace hotlane
