// SPDX-License-Identifier: MIT
//
// Arenas, pools of arenas, and the general allocator for containers. hotlane.hpp has the rules that hold for
// all classes.
#pragma once

#include "hotlane/object_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <utility>

namespace hotlane {

/// Monotonic memory: an allocation moves a pointer, a deallocation does nothing, and release() takes
/// everything back at once. It starts with `first` bytes and grows by pages from the allocator up to `limit`
/// bytes in all; beyond that it throws std::bad_alloc. The statistics have its bytes under its name. For one
/// thread at a time.
class arena : public std::pmr::memory_resource {
  public:
    static constexpr std::size_t growth = std::size_t{64} * 1024;  // the largest size class

    /// Throws std::bad_alloc when there is no memory for the first page. `name` is for the statistics, which keep
    /// its first 31 bytes; a named arena looks it up under a lock.
    explicit arena(std::size_t first = growth, std::size_t limit = SIZE_MAX, const char* name = nullptr)
        : arena{of_pool{}, first, limit} {
        number_ = hotlane_arena_begin(name);
        hotlane_arena_change(number_, static_cast<std::ptrdiff_t>(capacity_), capacity_);
    }
    ~arena() override {
        release();
        hotlane_put(first_);
        if (number_ != untold) {
            hotlane_arena_end(number_, capacity_);
        }
    }
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;

    /// Frees all allocations. Keeps the first page and gives the others back. O(pages).
    void release() noexcept {
        const std::size_t before = capacity_;
        while (last_ != first_) {
            capacity_ -= last_->bytes;
            hotlane_put(std::exchange(last_, last_->previous));
        }
        tell(before);
        rewind();
    }
    /// Bytes allocated since the last release(), padding included.
    std::size_t used() const noexcept {
        return used_before_ + static_cast<std::size_t>(next_ - begin_of(last_));
    }
    /// The size of all its pages, bytes.
    std::size_t capacity() const noexcept { return capacity_; }
    /// The largest capacity() so far.
    std::size_t peak() const noexcept { return peak_; }

  private:
    friend class arena_pool;
    static constexpr std::uint32_t untold = UINT32_MAX;  // the statistics know only its pool

    struct of_pool {};
    arena(of_pool, std::size_t first, std::size_t limit) : limit_{limit} {
        first_ = take_page(first_bytes(first));
        rewind();
    }

    struct page {
        page* previous;
        std::size_t bytes;
    };

    static std::size_t first_bytes(std::size_t first) noexcept {
        return first < sizeof(page) + alignment ? sizeof(page) + alignment : first;
    }
    /// Tells the statistics, or those of the pool of arenas, how the capacity has changed.
    void tell(std::size_t before) noexcept {
        const auto change = static_cast<std::ptrdiff_t>(capacity_ - before);
        if (pool_ != nullptr && change != 0) {
            hotlane_pool_own(pool_, change);
        } else if (number_ != untold && change != 0) {
            hotlane_arena_change(number_, change, capacity_);
        }
    }
    [[noreturn]] void refuse() {
        if (number_ != untold) {
            hotlane_arena_refuse(number_);
        }
        detail::no_memory();
    }

    static char* begin_of(page* of) noexcept { return reinterpret_cast<char*>(of) + sizeof(page); }

    page* take_page(std::size_t bytes) {
        void* const memory = bytes <= limit_ && capacity_ <= limit_ - bytes ? hotlane_get(bytes) : nullptr;
        if (memory == nullptr) {
            refuse();
        }
        capacity_ += bytes;
        peak_ = capacity_ > peak_ ? capacity_ : peak_;
        tell(capacity_ - bytes);
        return new (memory) page{nullptr, bytes};
    }
    void use(page* fresh) noexcept {
        last_ = fresh;
        next_ = begin_of(fresh);
        end_ = reinterpret_cast<char*>(fresh) + fresh->bytes;
    }
    void rewind() noexcept {
        used_before_ = 0;
        use(first_);
    }

    void* do_allocate(std::size_t bytes, std::size_t align) override {
        const std::size_t padding = -reinterpret_cast<std::uintptr_t>(next_) & (align - 1);
        const auto room = static_cast<std::size_t>(end_ - next_);
        if (padding > room || bytes > room - padding) [[unlikely]] {
            return allocate_in_new_page(bytes, align);
        }
        char* const place = next_ + padding;
        next_ = place + bytes;
        return place;
    }
    void* allocate_in_new_page(std::size_t bytes, std::size_t align) {
        if (bytes > SIZE_MAX / 2 || align > SIZE_MAX / 4) {
            refuse();
        }
        const std::size_t needed = sizeof(page) + align + bytes;
        page* const fresh = take_page(needed > growth ? needed : growth);
        used_before_ = used();
        fresh->previous = last_;
        use(fresh);
        return do_allocate(bytes, align);
    }
    void do_deallocate(void*, std::size_t, std::size_t) override {}
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::size_t limit_;
    std::size_t capacity_ = 0;
    std::size_t peak_ = 0;
    hotlane_pool* pool_ = nullptr;   // that it was leased from; null: none
    std::uint32_t number_ = untold;  // of its name
    std::size_t used_before_ = 0;    // in the pages before the last one
    page* first_ = nullptr;
    page* last_ = nullptr;
    char* next_ = nullptr;
    char* end_ = nullptr;
};

/// A pool of `capacity` arenas, which are reused. As a memory resource it allocates from the arena of the
/// newest lease. An object that keeps one resource for long, such as a parser, thus allocates from the arena
/// of the current operation. For one thread at a time. Must not move while arenas are leased.
class arena_pool : public std::pmr::memory_resource {
    struct slot : arena {
        slot(std::size_t first, std::size_t limit) : arena{of_pool{}, first, limit} {}
        slot* older = nullptr;
        slot* newer = nullptr;
    };
    using slots = object_pool<slot, &arena::release>;

  public:
    struct returner {
        arena_pool* pool = nullptr;
        void operator()(arena* ended) const noexcept { pool->end(static_cast<slot*>(ended)); }
    };
    /// A leased arena. On destruction, in any order, the arena is released (its first page is kept) and
    /// returns to the pool. O(pages).
    using lease = std::unique_ptr<arena, returner>;

    /// Each arena starts with `first` bytes, allocated now, and grows up to `limit`. Throws std::bad_alloc
    /// when there is no memory for them. `name` is for the statistics, which keep its first 31 bytes.
    explicit arena_pool(std::size_t capacity, const char* name = nullptr, std::size_t first = arena::growth,
                        std::size_t limit = SIZE_MAX)
        : slots_{capacity, name, first, limit} {
        hotlane_pool_own_each(slots_.c_pool(), arena::first_bytes(first));
    }

    /// Leases an arena. Returns error::exhausted when all are leased. O(1).
    result<lease> get() noexcept {
        result<typename slots::lease> taken = slots_.get();
        if (!taken) [[unlikely]] {
            return taken.error();
        }
        hotlane_pool* const home = (*taken).get_deleter().pool;
        slot* const fresh = (*taken).release();
        fresh->pool_ = home;
        fresh->newer = nullptr;
        fresh->older = newest_;
        if (newest_ != nullptr) {
            newest_->newer = fresh;
        }
        newest_ = fresh;
        return lease{fresh, returner{this}};
    }
    std::size_t capacity() const noexcept { return slots_.capacity(); }
    std::size_t in_use() const noexcept { return slots_.in_use(); }

  private:
    void end(slot* ended) noexcept {
        (ended->newer != nullptr ? ended->newer->older : newest_) = ended->older;
        if (ended->older != nullptr) {
            ended->older->newer = ended->newer;
        }
        typename slots::returner{ended->pool_}(ended);
    }
    /// Throws std::bad_alloc when no arena is leased, or the newest has no memory.
    void* do_allocate(std::size_t bytes, std::size_t align) override {
        if (newest_ == nullptr) [[unlikely]] {
            detail::no_memory();
        }
        return newest_->allocate(bytes, align);
    }
    void do_deallocate(void*, std::size_t, std::size_t) override {}
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    slots slots_;
    slot* newest_ = nullptr;
};

/// The general allocator as a memory resource, for any size and alignment. Throws std::bad_alloc when there
/// is no memory. Any thread. It is a single object that is never destroyed.
inline std::pmr::memory_resource* memory_resource() noexcept {
    class general : public std::pmr::memory_resource {
        void* do_allocate(std::size_t bytes, std::size_t align) override {
            void* const p = align <= alignment ? hotlane_get(bytes) : hotlane_get_aligned(align, bytes);
            if (p == nullptr) [[unlikely]] {
                detail::no_memory();
            }
            return p;
        }
        void do_deallocate(void* p, std::size_t, std::size_t) override { hotlane_put(p); }
        bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
            return this == &other;
        }
    };
    alignas(general) static std::byte place[sizeof(general)];
    static general* const resource = new (place) general;
    return resource;
}

/// The general allocator for containers. All instances compare equal. Throws std::bad_alloc when there is no
/// memory.
template <class T>
struct allocator {
    using value_type = T;
    allocator() noexcept = default;
    template <class U>
    allocator(const allocator<U>&) noexcept {}

    [[nodiscard]] T* allocate(std::size_t count) {
        std::size_t bytes = 0;
        void* p = nullptr;
        if (!__builtin_mul_overflow(count, sizeof(T), &bytes)) {
            p = alignof(T) <= alignment ? hotlane_get(bytes) : hotlane_get_aligned(alignof(T), bytes);
        }
        if (p == nullptr) [[unlikely]] {
            detail::no_memory();
        }
        return static_cast<T*>(p);
    }
    void deallocate(T* p, std::size_t) noexcept { hotlane_put(p); }
    template <class U>
    bool operator==(const allocator<U>&) const noexcept {
        return true;
    }
};

}  // namespace hotlane
