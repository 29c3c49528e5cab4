// SPDX-License-Identifier: MIT
//
// Bounded pools of objects. object_pool keeps its objects constructed, fixed_pool constructs and destroys
// each one, and record_pool takes all records back at once. hotlane.hpp has the rules that hold for all
// classes.
#pragma once

#include "hotlane/buffer_pool.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace hotlane {

/// As object_pool's `Reset`: leaves objects as they were put back.
inline constexpr auto keep = [](auto&) {};

/// A pool of `capacity` objects. All are constructed with the pool, from the same arguments, and destroyed
/// with it. An object that comes back is reset by `Reset`, a function of T& or a member function; memory that
/// the object owns can thus be kept. For one thread at a time. Must not move while objects are leased.
template <class T, auto Reset = keep>
class object_pool {
    static_assert(alignof(T) <= alignment);

  public:
    struct returner {
        hotlane_pool* pool = nullptr;
        void operator()(T* object) const noexcept {
            std::invoke(Reset, *object);
            hotlane_pool_put(pool, object);
        }
    };
    /// A leased object. It returns to the pool on destruction.
    using lease = std::unique_ptr<T, returner>;

    /// Throws std::bad_alloc when there is no memory for all objects. If a constructor of T throws, the
    /// objects constructed so far are destroyed and the exception is passed on. `name` is for the statistics,
    /// which keep its first 31 bytes. O(capacity).
    template <class... Arguments>
    explicit object_pool(std::size_t capacity, const char* name = nullptr, const Arguments&... arguments)
        : pool_{detail::make_pool(name, sizeof(T), capacity, 0)}, capacity_{capacity} {
        construction guard{*this};
        for (; guard.constructed < capacity; ++guard.constructed) {
            new (object_at(guard.constructed)) T(arguments...);
        }
        guard.done = true;
    }
    ~object_pool() {
        for (void** slot = pool_->bottom; slot != pool_->top; ++slot) {
            static_cast<T*>(*slot)->~T();  // leased objects are not destroyed; the pool reports them
        }
    }
    object_pool(const object_pool&) = delete;
    object_pool& operator=(const object_pool&) = delete;

    /// Leases an object. Returns error::exhausted when all are leased. O(1).
    result<lease> get() noexcept {
        auto* const object = static_cast<T*>(hotlane_pool_get(pool_.get()));
        if (object == nullptr) [[unlikely]] {
            return error::exhausted;
        }
        return lease{object, returner{pool_.get()}};
    }
    std::size_t capacity() const noexcept { return capacity_; }
    std::size_t in_use() const noexcept { return static_cast<std::size_t>(pool_->full - pool_->top); }
    /// The size of the objects themselves, without memory that they own.
    std::size_t bytes() const noexcept { return capacity_ * pool_->object_size; }
    /// The pool, for the functions of hotlane.h. It is still owned by this object.
    hotlane_pool* c_pool() const noexcept { return pool_.get(); }

  private:
    struct construction {
        object_pool& pool;
        std::size_t constructed = 0;
        bool done = false;
        ~construction() {
            while (!done && constructed != 0) {
                static_cast<T*>(pool.object_at(--constructed))->~T();
            }
        }
    };
    void* object_at(std::size_t i) noexcept {
        return reinterpret_cast<void*>(pool_->begin + i * pool_->object_size);
    }

    detail::pool_owner pool_;
    std::size_t capacity_;
};

/// A pool with room for N objects, allocated at construction. get() constructs an object; it is destroyed
/// when it comes back. For one thread at a time.
template <class T, std::size_t N>
class fixed_pool {
    static_assert(alignof(T) <= alignment && N > 0);

  public:
    struct returner {
        hotlane_pool* pool = nullptr;
        void operator()(T* object) const noexcept {
            object->~T();
            hotlane_pool_put(pool, object);
        }
    };
    using lease = std::unique_ptr<T, returner>;

    /// Throws std::bad_alloc when there is no memory for all objects.
    explicit fixed_pool(const char* name = nullptr) : pool_{detail::make_pool(name, sizeof(T), N, 0)} {}

    /// Constructs and leases an object. Returns error::exhausted when all are leased. If T's constructor
    /// throws, its place returns to the pool and the exception is passed on. O(1).
    template <class... Arguments>
    result<lease> get(Arguments&&... arguments) {
        void* const place = hotlane_pool_get(pool_.get());
        if (place == nullptr) [[unlikely]] {
            return error::exhausted;
        }
        buffer_guard guard{pool_.get(), place};
        T* const object = new (place) T(std::forward<Arguments>(arguments)...);
        guard.place = nullptr;
        return lease{object, returner{pool_.get()}};
    }
    static constexpr std::size_t capacity() noexcept { return N; }
    std::size_t in_use() const noexcept { return static_cast<std::size_t>(pool_->full - pool_->top); }
    std::size_t bytes() const noexcept { return N * pool_->object_size; }

  private:
    struct buffer_guard {
        hotlane_pool* pool;
        void* place;
        ~buffer_guard() { hotlane_pool_put(pool, place); }
    };

    detail::pool_owner pool_;
};

namespace detail {

/// The deleter of a pool that may be destroyed by any thread, and whose objects end with it.
struct record_deleter {
    void operator()(hotlane_pool* pool) const noexcept {
        hotlane_pool_adopt(pool);
        hotlane_pool_reset(pool);
        hotlane_pool_destroy(pool);
    }
};

}  // namespace detail

/// A pool of N records, handed out in ascending addresses and taken back all at once: by reset(), or when the
/// pool is destroyed, which any thread may do. For one thread at a time.
template <class T, std::size_t N>
class record_pool {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignment && N > 0);

  public:
    /// Throws std::bad_alloc when there is no memory for all records.
    explicit record_pool(const char* name = nullptr)
        : pool_{detail::make_pool(name, sizeof(T), N, HOTLANE_POOL_IN_ORDER).release()} {}

    /// Returns a value-initialised record, or error::exhausted after N. O(1).
    result<T*> get() noexcept {
        void* const place = hotlane_pool_get(pool_.get());
        if (place == nullptr) [[unlikely]] {
            return error::exhausted;
        }
        return new (place) T{};
    }
    /// Takes back every record. O(N).
    void reset() noexcept { hotlane_pool_reset(pool_.get()); }
    static constexpr std::size_t capacity() noexcept { return N; }
    std::size_t in_use() const noexcept { return static_cast<std::size_t>(pool_->full - pool_->top); }
    std::size_t bytes() const noexcept { return N * pool_->object_size; }

  private:
    std::unique_ptr<hotlane_pool, detail::record_deleter> pool_;
};

}  // namespace hotlane
