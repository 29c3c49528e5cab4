// SPDX-License-Identifier: MIT
//
// Bounded pools: creation and destruction, exhaustion, new peaks, and every mistake.
//
//   one allocation:  | Pool | slots, one per object | objects, each at a multiple of 64 |
#include "api/pool.h"

#include "base/atomic_access.h"
#include "malloc/allocator.h"
#include "text/writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace hotlane::pools {

namespace {

constexpr size_t kAlignment = 64;

uintptr_t this_thread() { return address_of(__builtin_thread_pointer()); }

/// Reports 'pool "frames": <what>'.
template <typename Describe>
void report_mistake(const Pool& pool, Describe describe) {
    char line[192];
    Writer out(line, sizeof line);
    out.text("pool ").quoted(name_of(pool)).text(": ");
    describe(out);
    out.flush();
    hotlane::report_mistake({line, out.bytes_written()});
}

void report_put(const Pool& pool, const void* p, std::string_view why) {
    report_mistake(pool, [=](Writer& out) { out.text("put(").hex(address_of(p)).text("): ").text(why); });
}

bool is_own(const Pool& pool, const void* p) { return address_of(p) - pool.begin < pool.bytes; }

bool is_free(const Pool& pool, const void* p) { return std::find(pool.bottom, pool.top, p) != pool.top; }

/// Marks every object as free, with the lowest address as the next one.
void fill_slots(Pool& pool) {
    for (size_t i = 0; i < pool.capacity; ++i) {
        pool.full[-1 - static_cast<ptrdiff_t>(i)] = pointer_to(pool.begin + i * pool.object_size);
    }
}

void touch(Pool& pool) {
    for (size_t at = 0; at < pool.bytes; at += kOsPageSize) {
        static_cast<volatile char*>(pointer_to(pool.begin))[at] = 0;
    }
}

Pool* lay_out(void* memory, size_t object_size, size_t capacity, size_t header_bytes) {
    Pool* pool = new (memory) Pool{};
    pool->bottom = reinterpret_cast<void**>(pool + 1);
    pool->full = pool->bottom + capacity;
    pool->top = pool->full;
    pool->low = pool->full;
    pool->begin = address_of(memory) + header_bytes;
    pool->object_size = object_size;
    pool->capacity = capacity;
    pool->bytes = capacity * object_size;
    pool->owner = this_thread();
    fill_slots(*pool);
    return pool;
}

/// Computes the size of the allocation. Returns false if it, or a part of it, exceeds PTRDIFF_MAX, the limit
/// of an allocation.
bool is_countable(size_t object_size, size_t capacity, size_t* header_bytes, size_t* total) {
    size_t slots = 0;
    size_t objects = 0;
    if (__builtin_mul_overflow(capacity, sizeof(void*), &slots) ||
        __builtin_mul_overflow(capacity, object_size, &objects) || slots > PTRDIFF_MAX / 2 ||
        objects > PTRDIFF_MAX / 2) {
        return false;
    }
    *header_bytes = round_up(sizeof(Pool) + slots, kAlignment);
    return !__builtin_add_overflow(*header_bytes, objects, total) && *total <= PTRDIFF_MAX;
}

void* get_from_allocator(Pool& pool) {
    void* p = allocate_aligned(kAlignment, pool.object_size);
    if (p != nullptr) {
        add_relaxed(pool.fallbacks, 1);
        ++pool.fallbacks_in_use;
        if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
            memset(p, 0, pool.object_size);
        }
    }
    return p;
}

}  // namespace

Pool* create(const char* name, size_t size, size_t capacity, unsigned flags) {
    size_t header_bytes = 0;
    size_t total = 0;
    if (size == 0 || size > PTRDIFF_MAX || capacity == 0 ||
        !is_countable(round_up(size, kAlignment), capacity, &header_bytes, &total)) {
        errno = EINVAL;
        return nullptr;
    }
    void* memory = allocate_aligned(kAlignment, total);
    if (memory == nullptr) {
        return nullptr;
    }
    Pool* pool = lay_out(memory, round_up(size, kAlignment), capacity, header_bytes);
    pool->flags = flags;
    if ((flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        memset(pointer_to(pool->begin), 0, pool->bytes);
    } else {
        pool->extent = pool->bytes;
    }
    if ((flags & HOTLANE_POOL_TOUCH) != 0) {
        touch(*pool);
    }
    enter(*pool, name);
    return pool;
}

void destroy(Pool* pool) {
    if (pool == nullptr) {
        return;
    }
    leave(*pool);
    const uint64_t outstanding = pool->in_use() + pool->fallbacks_in_use;
    if (outstanding == 0) {
        return release(pool);
    }
    char line[128];
    Writer out(line, sizeof line);
    out.text("pool ").quoted(name_of(*pool)).text(": destroyed with ").number(outstanding);
    out.text(outstanding == 1 ? " object outstanding" : " objects outstanding").flush();
    message({line, out.bytes_written()});
}

void adopt(Pool& pool) { pool.owner = this_thread(); }

void reset(Pool& pool) {
    if (!may(pool, nullptr)) {
        return;
    }
    fill_slots(pool);
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        memset(pointer_to(pool.begin), 0, pool.bytes);
    }
    store_relaxed(pool.top, pool.full);
}

void* get_slow(Pool& pool) {
    if (pool.top == pool.bottom) {
        add_relaxed(pool.exhausted, 1);
        return (pool.flags & HOTLANE_POOL_FALLBACK) != 0 ? get_from_allocator(pool) : nullptr;
    }
    // More objects are handed out than at any time since the last reset, or ever.
    store_relaxed(pool.low, pool.top - 1);
    add_relaxed(pool.gets, 1);
    store_relaxed(pool.top, pool.top - 1);
    return *pool.top;
}

void put_slow(Pool& pool, void* p) {
    if (p == nullptr) {
        return;
    }
    if (!is_own(pool, p)) {
        if (pool.fallbacks_in_use == 0) {
            return report_put(pool, p, "not an object of this pool");
        }
        --pool.fallbacks_in_use;
        if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
            explicit_bzero(p, pool.object_size);
        }
        return release(p);
    }
    if (pool.top == pool.full) {
        return report_put(pool, p, "every object is free already (double put)");
    }
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        explicit_bzero(p, pool.object_size);
    }
    *pool.top = p;
    store_relaxed(pool.top, pool.top + 1);
}

bool may(const Pool& pool, const void* p) {
    if (pool.owner != this_thread()) {
        report_mistake(pool, [p](Writer& out) {
            out.text(p == nullptr ? "get" : "put").text(" by a thread that does not own the pool");
        });
        return false;
    }
    if (p == nullptr || !is_own(pool, p)) {
        return true;
    }
    if ((address_of(p) - pool.begin) % pool.object_size != 0) {
        report_put(pool, p, "not the start of an object");
        return false;
    }
    if (is_free(pool, p)) {
        report_put(pool, p, "the object is free already (double put)");
        return false;
    }
    return true;
}

}  // namespace hotlane::pools
