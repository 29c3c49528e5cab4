// SPDX-License-Identifier: MIT
//
// Bounded pools of buffers, and of arrays of numbers. hotlane.hpp has the rules that hold for all classes.
#pragma once

#include "hotlane/buffer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace hotlane {

namespace detail {

#ifdef __cpp_exceptions
class ring_cannot_grow : public std::bad_alloc {
  public:
    const char* what() const noexcept override {
        return "hotlane: a pool for a reader and a worker cannot grow; give it its full capacity, or share "
               "it "
               "with any_thread";
    }
};
#endif

/// A pool could not be created. `grows`: it is a ring that shall grow.
[[noreturn]] inline void no_pool(bool grows) {
#ifdef __cpp_exceptions
    if (grows) {
        throw ring_cannot_grow();
    }
#else
    static_cast<void>(grows);
#endif
    no_memory();
}

struct pool_deleter {
    void operator()(hotlane_pool* pool) const noexcept { hotlane_pool_destroy(pool); }
};
using pool_owner = std::unique_ptr<hotlane_pool, pool_deleter>;

inline pool_owner make_pool(const hotlane_pool_settings& settings) {
    pool_owner pool{hotlane_pool_create_with(&settings, sizeof settings)};
    if (pool == nullptr) {
        no_pool((settings.flags & HOTLANE_POOL_RING) != 0 && settings.max_capacity > settings.capacity);
    }
    return pool;
}
inline pool_owner make_pool(const char* name, std::size_t size, std::size_t capacity, unsigned flags) {
    return make_pool(hotlane_pool_settings{name, size, capacity, 0, 0, flags});
}

}  // namespace detail

enum class on_exhausted : std::uint8_t { fail, fallback };
enum class clear : std::uint8_t { never, on_get, on_put };
/// Which threads use a pool: one at a time; any, at the same time; or one that gets and puts (the reader) and one
/// that only puts (the worker).
enum class sharing : std::uint8_t { one_thread, any_thread, reader_and_worker };

namespace detail {

constexpr unsigned sharing_flags(sharing shared) noexcept {
    return shared == sharing::any_thread          ? HOTLANE_POOL_SHARED
           : shared == sharing::reader_and_worker ? HOTLANE_POOL_RING
                                                  : 0U;
}

}  // namespace detail

struct pool_options {
    const char* name = nullptr;  // for statistics; the first 31 bytes are kept
    hotlane::clear clear = hotlane::clear::never;
    bool touch = false;  // touches all pages at construction, so that page faults happen then
    bool timed = false;  // measures how long buffers are held (HOTLANE_POOL_TIMED)
    sharing shared = sharing::one_thread;
    std::size_t max_capacity =
        0;                // grows to so many objects when it is exhausted; 0: does not grow. Not for a
                          // reader and a worker
    double growth = 1.5;  // by which factor it grows
};

/// How large a pool of buffers is.
struct pool_shape {
    std::size_t size;      // bytes of a buffer
    std::size_t capacity;  // buffers
};

/// Shapes of pools by the load of a service. `hotlane bench load --level` measures them.
namespace load {
inline constexpr pool_shape low{2048, 8};
inline constexpr pool_shape medium{4096, 16};
inline constexpr pool_shape high{8192, 32};
inline constexpr pool_shape extreme{16384, 64};
}  // namespace load

/// A pool of `capacity` buffers of `size` bytes, all allocated at construction; last in, first out. For one
/// thread at a time, unless the options say otherwise.
class buffer_pool {
  public:
    /// Throws std::bad_alloc when there is no memory for all buffers, a limit is reached, or the values are
    /// impossible (see hotlane_pool_create_with()). Its what() says so if a pool for a reader and a worker shall
    /// grow.
    buffer_pool(std::size_t size, std::size_t capacity, on_exhausted policy = on_exhausted::fail,
                pool_options options = {})
        : pool_{detail::make_pool(hotlane_pool_settings{options.name, size, capacity, options.max_capacity,
                                                        options.growth, flags(policy, options)})},
          size_{size}, clear_on_get_{options.clear == clear::on_get}, falls_back_{policy ==
                                                                                  on_exhausted::fallback} {}

    /// The same with a named shape, such as hotlane::load::high.
    explicit buffer_pool(pool_shape shape, on_exhausted policy = on_exhausted::fail,
                         pool_options options = {})
        : buffer_pool{shape.size, shape.capacity, policy, options} {}

    /// A buffer of the pool's size. Returns error::exhausted when all are handed out and the policy is
    /// `fail`, and error::out_of_memory when the policy allows the allocator and it has no memory. Inlined.
    /// O(1); O(size) if buffers are cleared.
    result<buffer> get() noexcept { return get(size_); }
    /// A buffer whose size() is `size`. Returns error::invalid_size if that is more than the pool's size.
    result<buffer> get(std::size_t size) noexcept {
        if (size > size_) [[unlikely]] {
            return error::invalid_size;
        }
        hotlane_pool* const pool = pool_.get();
        void* const data = hotlane_pool_get(pool);
        if (data == nullptr) [[unlikely]] {
            return falls_back_ ? error::out_of_memory : error::exhausted;
        }
        if (clear_on_get_) {
            std::memset(data, 0, pool->object_size);
        }
        return buffer{data, size, pool};
    }

    /// The size given at construction. Each buffer's capacity() is that size rounded up to a multiple of 64.
    std::size_t buffer_size() const noexcept { return size_; }
    /// The number of buffers. in_use() of them are handed out, available() are not. O(1).
    std::size_t capacity() const noexcept { return hotlane_pool_capacity(pool_.get()); }
    std::size_t in_use() const noexcept { return hotlane_pool_in_use(pool_.get()); }
    std::size_t available() const noexcept { return capacity() - in_use(); }
    /// The size of all buffers together, bytes.
    std::size_t bytes() const noexcept { return capacity() * pool_->object_size; }
    /// The pool, for the functions of hotlane.h. It is still owned by this object.
    hotlane_pool* c_pool() const noexcept { return pool_.get(); }

  private:
    static unsigned flags(on_exhausted policy, const pool_options& options) noexcept {
        return (policy == on_exhausted::fallback ? HOTLANE_POOL_FALLBACK : 0U) |
               (options.touch ? HOTLANE_POOL_TOUCH : 0U) | (options.timed ? HOTLANE_POOL_TIMED : 0U) |
               detail::sharing_flags(options.shared) |
               (options.clear == clear::on_put ? HOTLANE_POOL_ZERO_ON_PUT : 0U);
    }

    detail::pool_owner pool_;
    std::size_t size_;
    bool clear_on_get_;
    bool falls_back_;
};

/// A pool of arrays of `count` elements, for vector code. The compiler may assume that they are aligned to
/// `Align` bytes, at most 64; in fact they are aligned to 64. For one thread at a time.
template <class T, std::size_t Align = alignment>
class block_pool {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(Align <= alignment && Align >= alignof(T) && (Align & (Align - 1)) == 0);

  public:
    class block {
      public:
        block() noexcept = default;  // has no elements
        explicit block(buffer memory) noexcept : memory_{std::move(memory)} {}
        T* data() noexcept { return std::assume_aligned<Align>(reinterpret_cast<T*>(memory_.data())); }
        std::size_t size() const noexcept { return memory_.size() / sizeof(T); }
        std::span<T> span() noexcept { return {data(), size()}; }
        T& operator[](std::size_t i) noexcept { return data()[i]; }
        explicit operator bool() const noexcept { return static_cast<bool>(memory_); }

      private:
        buffer memory_;
    };

    /// Throws std::bad_alloc when there is no memory for all arrays, or a size is 0.
    block_pool(std::size_t count, std::size_t capacity, on_exhausted policy = on_exhausted::fail,
               pool_options options = {})
        : buffers_{checked_bytes(count), capacity, policy, options} {}

    /// An array with undefined contents, unless the pool clears. Errors as for buffer_pool::get():
    /// error::exhausted or error::out_of_memory.
    result<block> get() noexcept {
        result<buffer> memory = buffers_.get();
        return memory ? result<block>{block{std::move(*memory)}} : result<block>{memory.error()};
    }
    std::size_t capacity() const noexcept { return buffers_.capacity(); }
    std::size_t in_use() const noexcept { return buffers_.in_use(); }
    std::size_t bytes() const noexcept { return buffers_.bytes(); }

  private:
    static std::size_t checked_bytes(std::size_t count) {
        std::size_t bytes = 0;
        if (__builtin_mul_overflow(count, sizeof(T), &bytes)) {
            detail::no_memory();
        }
        return bytes;
    }

    buffer_pool buffers_;
};

}  // namespace hotlane
