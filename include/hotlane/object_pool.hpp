// SPDX-License-Identifier: MIT
//
// Bounded pools of objects: kept constructed, constructed one by one, or records taken back all at once.
// Knows nothing of the library's inside but what hotlane.h inlines.
// Part of hotlane.hpp, which says what holds for all.
#pragma once

#include "hotlane/buffer_pool.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace hotlane {

/// For object_pool: objects stay as they were put back.
inline constexpr auto keep = [](auto&) {};

/// `capacity` objects, all constructed from the same arguments when the pool is, destroyed when it is. Each
/// that comes back is reset by `Reset` (a function of T&, or a member function): what it holds is kept. One
/// thread's; stays where it is while objects are out.
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
    /// Goes back on destruction.
    using lease = std::unique_ptr<T, returner>;

    /// std::bad_alloc when there is no memory for all of them. What T's constructor throws passes through,
    /// and those constructed before are destroyed. `name`: in statistics, 31 bytes of it. O(capacity).
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
            static_cast<T*>(*slot)->~T();  // those still out keep their objects, and the pool says so
        }
    }
    object_pool(const object_pool&) = delete;
    object_pool& operator=(const object_pool&) = delete;

    /// error::exhausted when all are out. O(1).
    result<lease> get() noexcept {
        auto* const object = static_cast<T*>(hotlane_pool_get(pool_.get()));
        if (object == nullptr) [[unlikely]] {
            return error::exhausted;
        }
        return lease{object, returner{pool_.get()}};
    }
    std::size_t capacity() const noexcept { return capacity_; }
    std::size_t in_use() const noexcept { return static_cast<std::size_t>(pool_->full - pool_->top); }
    /// Of the objects themselves, without what they hold.
    std::size_t bytes() const noexcept { return capacity_ * pool_->object_size; }

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

/// Room for N objects, taken at construction; each is constructed by get() and destroyed when it comes back.
/// One thread's.
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

    /// std::bad_alloc when there is no memory for all of them.
    explicit fixed_pool(const char* name = nullptr) : pool_{detail::make_pool(name, sizeof(T), N, 0)} {}

    /// error::exhausted when all are out. What T's constructor throws passes through, and nothing is lost.
    /// O(1).
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

/// A pool whose objects end with it.
struct record_deleter {
    void operator()(hotlane_pool* pool) const noexcept {
        hotlane_pool_adopt(pool);
        hotlane_pool_reset(pool);
        hotlane_pool_destroy(pool);
    }
};

}  // namespace detail

/// N records, handed out in ascending addresses, taken back all at once: by reset(), or with the pool, which
/// may be destroyed by any thread. One thread's.
template <class T, std::size_t N>
class record_pool {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignment && N > 0);

  public:
    /// std::bad_alloc when there is no memory for all of them.
    explicit record_pool(const char* name = nullptr)
        : pool_{detail::make_pool(name, sizeof(T), N, 0).release()} {}

    /// A value-initialised record; error::exhausted after N. O(1).
    result<T*> get() noexcept {
        void* const place = hotlane_pool_get(pool_.get());
        if (place == nullptr) [[unlikely]] {
            return error::exhausted;
        }
        return new (place) T{};
    }
    /// Every record is free again. O(N).
    void reset() noexcept { hotlane_pool_reset(pool_.get()); }
    static constexpr std::size_t capacity() noexcept { return N; }
    std::size_t in_use() const noexcept { return static_cast<std::size_t>(pool_->full - pool_->top); }
    std::size_t bytes() const noexcept { return N * pool_->object_size; }

  private:
    std::unique_ptr<hotlane_pool, detail::record_deleter> pool_;
};

}  // namespace hotlane
