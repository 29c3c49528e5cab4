// SPDX-License-Identifier: MIT
//
// Bounded pools: creation and destruction, exhaustion, new peaks, and every mistake.
//
//   one allocation:  | Pool | slots, one per object | objects, each at a multiple of 64 |
#include "api/pool.h"

#include "api/hold_timer.h"
#include "api/pool_set.h"
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

/// Notes that the whole pool is handed out and `beyond` more objects are wanted.
void note_demand(Pool& pool, uint64_t beyond) {
    store_relaxed(pool.demand, std::max(pool.demand, pool.capacity + beyond));
}

/// A request that neither the pool nor the allocator serves. Such requests in a row, without a put between
/// them, were all wanted at once.
void note_unserved(Pool& pool) {
    const uint64_t puts = pool.counts().gets - pool.in_use();
    pool.unserved = puts == pool.puts_when_unserved ? pool.unserved + 1 : 1;
    pool.puts_when_unserved = puts;
    note_demand(pool, pool.fallbacks_in_use + pool.unserved);
}

/// Pops the next object and counts it. `countdown` is what it is afterwards.
void* pop(Pool& pool, uint64_t countdown) {
    void** const top = pool.top - 1;
    const uint64_t gets = pool.gets_at_zero - pool.countdown + 1;
    pool.begin_change();
    store_release(pool.fresh, std::max(pool.fresh, static_cast<uint64_t>(pool.full - top)));
    store_release(pool.gets_at_zero, gets + countdown);
    store_release(pool.countdown, countdown);
    pool.end_change();
    store_relaxed(pool.top, top);
    return *top;
}

void touch(Pool& pool) {
    for (size_t at = 0; at < pool.bytes; at += kOsPageSize) {
        static_cast<volatile char*>(pointer_to(pool.begin))[at] = 0;
    }
}

}  // namespace

bool plan(size_t size, size_t capacity, unsigned flags, Plan* out) {
    size_t slots = 0;
    if (size > PTRDIFF_MAX || (flags & HOTLANE_POOL_SHARED) != 0 ||
        __builtin_mul_overflow(capacity, sizeof(void*), &slots) || slots > PTRDIFF_MAX / 2) {
        return false;
    }
    *out = {.object_size = round_up(size, kAlignment), .capacity = capacity, .flags = flags};
    out->header_bytes = round_up(sizeof(Pool) + slots, kAlignment);
    return !__builtin_mul_overflow(capacity, out->object_size, &out->object_bytes) &&
           out->object_bytes <= PTRDIFF_MAX / 2;
}

Pool* lay_out(const Plan& plan, void* header, uintptr_t objects) {
    Pool* pool = new (header) Pool{};
    pool->bottom = reinterpret_cast<void**>(pool + 1);
    pool->full = pool->bottom + plan.capacity;
    pool->top = pool->full;
    pool->low = pool->full;
    pool->begin = objects;
    pool->object_size = plan.object_size;
    pool->capacity = plan.capacity;
    pool->bytes = plan.object_bytes;
    pool->flags = plan.flags;
    pool->owner = this_thread();
    fill_slots(*pool);
    if ((plan.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        memset(pointer_to(pool->begin), 0, pool->bytes);
    } else {
        pool->extent = pool->bytes;
    }
    if ((plan.flags & HOTLANE_POOL_TOUCH) != 0) {
        touch(*pool);
    }
    hold_timer::set_up(*pool);
    return pool;
}

Pool* create(const char* name, size_t size, size_t capacity, unsigned flags) {
    Plan wanted;
    if (size == 0 || capacity == 0 || !plan(size, capacity, flags, &wanted)) {
        errno = EINVAL;
        return nullptr;
    }
    void* memory = allocate_aligned(kAlignment, wanted.header_bytes + wanted.object_bytes);
    if (memory == nullptr) {
        return nullptr;
    }
    Pool* pool = lay_out(wanted, memory, address_of(memory) + wanted.header_bytes);
    enter(*pool, name);
    return pool;
}

uint64_t outstanding_in(const Pool& pool) { return pool.in_use() + pool.fallbacks_in_use; }

void report_outstanding(const char* what, const char* name, uint64_t outstanding) {
    char line[128];
    Writer out(line, sizeof line);
    out.text(what).text(" ").quoted(name).text(": destroyed with ").number(outstanding);
    out.text(outstanding == 1 ? " object outstanding" : " objects outstanding").flush();
    message({line, out.bytes_written()});
}

void destroy(Pool* pool) {
    if (pool == nullptr) {
        return;
    }
    leave(*pool);
    const uint64_t outstanding = outstanding_in(*pool);
    if (outstanding == 0) {
        return release(pool);
    }
    report_outstanding("pool", name_of(*pool), outstanding);
}

void adopt(Pool& pool) { pool.owner = this_thread(); }

void reset(Pool& pool) {
    if (!may(pool, nullptr)) {
        return;
    }
    hold_timer::cancel(pool);
    fill_slots(pool);
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        memset(pointer_to(pool.begin), 0, pool.bytes);
    }
    store_relaxed(pool.top, pool.full);
}

void own_each(Pool& pool, size_t bytes) { store_relaxed(pool.owned_each, bytes); }

void own(Pool& pool, ptrdiff_t bytes) {
    const size_t owned = pool.owned_bytes + static_cast<size_t>(bytes);
    store_relaxed(pool.owned_bytes, owned);
    store_relaxed(pool.peak_owned_bytes, std::max(pool.peak_owned_bytes, owned));
}

void* get_slow(Pool& pool) {
    if (pool.top == pool.bottom) {
        add_relaxed(pool.exhausted, 1);
        const uint64_t fallbacks = pool.fallbacks_in_use;
        void* const p = pool.set != nullptr ? get_from_larger(*pool.set, pool) : get_from_allocator(pool);
        if (pool.fallbacks_in_use != fallbacks) {
            note_demand(pool, pool.fallbacks_in_use);
        } else {
            note_unserved(pool);
        }
        return p;
    }
    const uint64_t countdown = pool.countdown != 0 ? pool.countdown - 1 : hold_timer::look(pool);
    if (pool.top <= load_relaxed(pool.low)) {
        // More objects are handed out than at any time since the last reset, or ever.
        store_relaxed(pool.low, pool.top - 1);
    }
    return pop(pool, countdown);
}

void* get_from_allocator(Pool& pool) {
    if ((pool.flags & HOTLANE_POOL_FALLBACK) == 0) {
        errno = ENOBUFS;
        return nullptr;
    }
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

void put_slow(Pool& pool, void* p) {
    if (p == nullptr) {
        return;
    }
    if (!is_own(pool, p)) {
        return pool.set != nullptr ? put_into_other(*pool.set, pool, p) : put_to_allocator(pool, p);
    }
    if (pool.top == pool.full) {
        return report_put(pool, p, "every object is free already (double put)");
    }
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        explicit_bzero(p, pool.object_size);
    }
    *pool.top = p;
    if (p == pool.timed) {
        hold_timer::finish_with_put(pool);
    }
    store_relaxed(pool.top, pool.top + 1);
}

void put_to_allocator(Pool& pool, void* p) {
    if (pool.fallbacks_in_use == 0) {
        return report_put(pool, p, "not an object of this pool");
    }
    --pool.fallbacks_in_use;
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        explicit_bzero(p, pool.object_size);
    }
    release(p);
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
