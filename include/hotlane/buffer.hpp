// SPDX-License-Identifier: MIT
//
// A buffer from the allocator or from a bounded pool, and the result of a request for one. hotlane.hpp has
// the rules that hold for all classes.
#pragma once

#include "hotlane/hotlane.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace hotlane {

inline constexpr std::size_t alignment = 64;

/// Why a request returned no object.
enum class error : std::uint8_t { none, exhausted, invalid_size, out_of_memory };

/// An object, or the reason why there is none. Like std::expected of C++23, for types that have an empty
/// state. Throws no exceptions.
template <class T>
class [[nodiscard]] result {
  public:
    result(T value) noexcept : value_{std::move(value)} {}
    result(hotlane::error why) noexcept : error_{why} {}

    explicit operator bool() const noexcept { return error_ == hotlane::error::none; }
    bool has_value() const noexcept { return error_ == hotlane::error::none; }
    /// error::none when there is a value.
    hotlane::error error() const noexcept { return error_; }
    /// Empty when there is no value.
    T& value() & noexcept { return value_; }
    T&& value() && noexcept { return std::move(value_); }
    T& operator*() & noexcept { return value_; }
    T&& operator*() && noexcept { return std::move(value_); }
    T* operator->() noexcept { return &value_; }

  private:
    T value_{};
    hotlane::error error_ = hotlane::error::none;
};

namespace detail {

[[noreturn]] inline void no_memory() {
#ifdef __cpp_exceptions
    throw std::bad_alloc();
#else
    std::abort();
#endif
}

}  // namespace detail

/// A piece of memory that is given back when the buffer is destroyed: to the cache of the thread that
/// destroys it, or to its bounded pool (only that pool's thread may then destroy it). Move-only.
class buffer {
  public:
    buffer() noexcept = default;
    buffer(buffer&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)},
          pool_{other.pool_} {}
    buffer& operator=(buffer&& other) noexcept {
        if (this != &other) {
            reset();
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
            pool_ = other.pool_;
        }
        return *this;
    }
    ~buffer() { reset(); }

    /// The memory, at a multiple of 64; null when the buffer is empty. Up to capacity() bytes may be read and
    /// written.
    std::byte* data() noexcept { return std::assume_aligned<alignment>(data_); }
    const std::byte* data() const noexcept { return std::assume_aligned<alignment>(data_); }
    /// The number of bytes requested, or set by resize().
    std::size_t size() const noexcept { return size_; }
    /// The size of the size class, or of the pool's objects. Of a pool_set, the size of the class that was asked
    /// for, also if a larger one or the allocator served the request. O(1); a function call unless the buffer is
    /// of a pool.
    std::size_t capacity() const noexcept {
        return pool_ != nullptr ? pool_->object_size : hotlane_capacity(data_);
    }
    /// The first size() bytes.
    std::span<std::byte> span() noexcept { return {data_, size_}; }
    std::span<const std::byte> span() const noexcept { return {data_, size_}; }
    explicit operator bool() const noexcept { return data_ != nullptr; }

    /// Changes size() and keeps the contents. Returns false and changes nothing when `size` is beyond the
    /// capacity.
    [[nodiscard]] bool resize(std::size_t size) noexcept {
        if (size > capacity()) {
            return false;
        }
        size_ = size;
        return true;
    }
    /// Gives the memory back now and leaves the buffer empty. Does nothing if it is empty already. O(1).
    void reset() noexcept {
        if (data_ == nullptr) {
            return;
        }
        void* const data = std::exchange(data_, nullptr);
        size_ = 0;
        if (pool_ != nullptr) {
            hotlane_pool_put(pool_, data);
        } else {
            hotlane_put(data);
        }
    }
    /// As reset(), after overwriting the whole capacity with zeros by stores that no compiler removes.
    void release_zeroed() noexcept {
        if (pool_ == nullptr) {
            hotlane_put_zeroed(std::exchange(data_, nullptr));
            size_ = 0;
        } else if (data_ != nullptr) {
            std::memset(data_, 0, pool_->object_size);
            asm volatile("" : : "r"(data_) : "memory");
            reset();
        }
    }

  private:
    friend class buffer_pool;
    friend class pool_set;
    friend buffer get(std::size_t size);
    friend result<buffer> try_get(std::size_t size) noexcept;

    buffer(void* data, std::size_t size, hotlane_pool* pool) noexcept
        : data_{static_cast<std::byte*>(data)}, size_{size}, pool_{pool} {}

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    hotlane_pool* pool_ = nullptr;  // null: from the allocator
};

/// A buffer from the allocator. Throws std::bad_alloc when there is no memory. Any thread; O(1) on a hit.
inline buffer get(std::size_t size) {
    void* const data = hotlane_get(size);
    if (data == nullptr) [[unlikely]] {
        detail::no_memory();
    }
    return {data, size, nullptr};
}
/// The same, with error::out_of_memory instead of an exception.
inline result<buffer> try_get(std::size_t size) noexcept {
    void* const data = hotlane_get(size);
    if (data == nullptr) [[unlikely]] {
        return error::out_of_memory;
    }
    return buffer{data, size, nullptr};
}

}  // namespace hotlane
