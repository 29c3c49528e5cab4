// SPDX-License-Identifier: MIT
//
// Bounded pools: creation and destruction, exhaustion, new peaks, other threads, and every mistake.
#include "pools/pool.h"

#include "base/atomic_access.h"
#include "base/errno_saver.h"
#include "malloc/allocator.h"
#include "platform/os.h"
#include "pools/hold_timer.h"
#include "pools/pool_growth.h"
#include "pools/pool_layout.h"
#include "pools/pool_set.h"
#include "pools/shared_pool.h"
#include "text/writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hotlane::pools {

namespace {

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

void report_foreign(const Pool& pool, const char* operation) {
    report_mistake(pool,
                   [=](Writer& out) { out.text(operation).text(" by a thread that does not own the pool"); });
}

bool is_own(const Pool& pool, const void* p) { return address_of(p) - pool.begin < pool.bytes; }

bool is_free(const Pool& pool, const void* p) { return std::find(pool.bottom, pool.top, p) != pool.top; }

bool is_start(const Pool& pool, const void* p) {
    return pool.chunks != nullptr ? is_start_in_chunk(pool, p)
                                  : (address_of(p) - pool.begin) % pool.object_size == 0;
}

/// Adds to a count that other threads change, too, unless the pool is of one thread.
void count(const Pool& pool, uint64_t& word, uint64_t n = 1) {
    if (pool.stack != nullptr || pool.ring != nullptr) {
        __atomic_fetch_add(&word, n, __ATOMIC_RELAXED);
    } else {
        add_relaxed(word, n);
    }
}

/// Takes one from the allocator's objects that are handed out. Returns false if there is none.
bool take_from_fallbacks(Pool& pool) {
    uint64_t now = load_relaxed(pool.fallbacks_in_use);
    while (now != 0 && !__atomic_compare_exchange_n(&pool.fallbacks_in_use, &now, now - 1, true,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return now != 0;
}

/// The put of a thread that does not own the pool. A ring takes it from one such thread.
void put_from_other_thread(Pool& pool, void* p) {
    if (pool.ring == nullptr) {
        return report_foreign(pool, "put");
    }
    uintptr_t other = 0;
    __atomic_compare_exchange_n(&pool.other_thread, &other, this_thread(), false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    if (other != 0 && other != this_thread()) {
        return report_put(pool, p,
                          "a second thread puts into a ring, which is for one thread besides its own");
    }
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        explicit_bzero(p, pool.object_size);
    }
    if (!pool.ring->put(p)) {
        report_put(pool, p, "every object is free already (double put)");
    }
}

/// Notes that the whole pool is handed out and `beyond` more objects are wanted. For a shared pool, one of
/// several notes at the same moment may be lost.
void note_demand(Pool& pool, uint64_t beyond) {
    store_relaxed(pool.demand, std::max(load_relaxed(pool.demand), load_relaxed(pool.capacity) + beyond));
}

/// A request that neither the pool nor the allocator serves. Such requests in a row, without a put between
/// them, were all wanted at once.
void note_unserved(Pool& pool) {
    const uint64_t puts = pool.counts().gets - pool.in_use();
    const uint64_t before = puts == load_relaxed(pool.puts_when_unserved) ? load_relaxed(pool.unserved) : 0;
    store_relaxed(pool.unserved, before + 1);
    store_relaxed(pool.puts_when_unserved, puts);
    note_demand(pool, load_relaxed(pool.fallbacks_in_use) + before + 1);
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

/// Gives back what the last window of time did not need.
void trim_if_due(Pool& pool) {
    if (load_relaxed(pool.trim_due)) {
        store_relaxed(pool.trim_due, false);
        shrink_to(pool, std::max(load_relaxed(pool.wanted_capacity), pool.in_use() + 1));
    }
}

}  // namespace

Pool* create(const hotlane_pool_settings& settings) {
    Plan wanted;
    if (settings.capacity == 0 || !plan(settings, &wanted)) {
        errno = EINVAL;
        return nullptr;
    }
    const Memory memory =
        take_memory(wanted.header_bytes, wanted.object_bytes, wanted.committed_bytes, wanted.grows());
    if (memory.header == nullptr) {
        return nullptr;
    }
    if (wanted.grows() && !os::commit(pointer_to(memory.objects), wanted.committed_bytes)) {
        give_memory_back(memory, wanted.object_bytes, wanted.committed_bytes, true);
        errno = ENOMEM;
        return nullptr;
    }
    Pool* pool = lay_out(wanted, memory.header, memory.objects);
    enter(*pool, settings.name);
    return pool;
}

uint64_t outstanding_in(const Pool& pool) { return pool.in_use() + load_relaxed(pool.fallbacks_in_use); }

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
        return give_memory_back({pool, pool->begin}, pool->bytes, pool->charged_bytes,
                                pool->chunks != nullptr);
    }
    report_outstanding("pool", name_of(*pool), outstanding);
}

void adopt(Pool& pool) {
    pool.owner = this_thread();
    store_relaxed(pool.other_thread, 0);
}

void reset(Pool& pool) {
    if (!may(pool, nullptr)) {
        return;
    }
    if (pool.stack != nullptr) {
        store_relaxed(pool.peak_floor, pool.peak_since_reset());
        store_relaxed(pool.gets_before, pool.counts().gets);
    }
    hold_timer::cancel(pool);
    make_all_free(pool);
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        std::for_each(pool.bottom, pool.top, [&](void* p) { memset(p, 0, pool.object_size); });
    }
}

void own_each(Pool& pool, size_t bytes) { store_relaxed(pool.owned_each, bytes); }

void own(Pool& pool, ptrdiff_t bytes) {
    const size_t owned = pool.owned_bytes + static_cast<size_t>(bytes);
    store_relaxed(pool.owned_bytes, owned);
    store_relaxed(pool.peak_owned_bytes, std::max(pool.peak_owned_bytes, owned));
}

size_t trim(Pool& pool) {
    return pool.chunks != nullptr && may(pool, nullptr) ? shrink_to(pool, pool.in_use()) : 0;
}

void* get_own(Pool& pool) {
    if (pool.stack != nullptr) {
        return get_shared(pool);
    }
    if (pool.ring != nullptr) {
        store_relaxed(pool.top, pool.top + pool.ring->take_all(pool.top));
    } else if (pool.chunks != nullptr) {
        trim_if_due(pool);
        if (pool.top == pool.bottom && !grow(pool)) {
            return nullptr;
        }
    }
    if (pool.top == pool.bottom) {
        return nullptr;
    }
    const uint64_t countdown = pool.countdown != 0 ? pool.countdown - 1 : hold_timer::look(pool);
    if (pool.top <= load_relaxed(pool.low)) {
        // Perhaps more objects are handed out than at any time since the last reset.
        store_relaxed(pool.low, pool.top - 1);
    }
    return pop(pool, countdown);
}

void* get_slow(Pool& pool) {
    if (pool.stack == nullptr && pool.owner != this_thread()) {
        report_foreign(pool, "get");
        return nullptr;
    }
    if (void* p = get_own(pool)) {
        return p;
    }
    count(pool, pool.exhausted);
    const uint64_t fallbacks = load_relaxed(pool.fallbacks);
    void* const p = pool.set != nullptr ? get_from_larger(*pool.set, pool) : get_from_allocator(pool);
    if (load_relaxed(pool.fallbacks) != fallbacks) {
        note_demand(pool, load_relaxed(pool.fallbacks_in_use));
    } else {
        note_unserved(pool);
    }
    return p;
}

void* get_from_allocator(Pool& pool) {
    if ((pool.flags & HOTLANE_POOL_FALLBACK) == 0) {
        errno = ENOBUFS;
        return nullptr;
    }
    void* p = allocate_aligned(kAlignment, pool.object_size);
    if (p != nullptr) {
        count(pool, pool.fallbacks);
        count(pool, pool.fallbacks_in_use);
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
    const ErrnoSaver keep;
    const bool own = is_own(pool, p);
    if (pool.stack == nullptr && pool.owner != this_thread() && (own || pool.ring == nullptr)) {
        return put_from_other_thread(pool, p);
    }
    if (own) {
        put_own(pool, p);
    } else {
        pool.set != nullptr ? put_into_other(*pool.set, pool, p) : put_to_allocator(pool, p);
    }
}

void put_own(Pool& pool, void* p) {
    if (pool.stack != nullptr) {
        if (const char* why = put_shared(pool, p)) {
            report_put(pool, p, why);
        }
        return;
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
    if (!take_from_fallbacks(pool)) {
        return report_put(pool, p, "not an object of this pool");
    }
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        explicit_bzero(p, pool.object_size);
    }
    release(p);
}

bool may(const Pool& pool, const void* p) {
    const bool own = p != nullptr && is_own(pool, p);
    if (pool.stack != nullptr) {
        const char* const why = own ? why_not_shared(pool, p) : nullptr;
        if (why != nullptr) {
            report_put(pool, p, why);
        }
        return why == nullptr;
    }
    const bool is_owner = pool.owner == this_thread();
    if (!is_owner && (pool.ring == nullptr || p == nullptr)) {
        report_foreign(pool, p == nullptr ? "get" : "put");
        return false;
    }
    if (own && !is_start(pool, p)) {
        report_put(pool, p, "not the start of an object");
        return false;
    }
    if (own && is_owner && is_free(pool, p)) {
        report_put(pool, p, "the object is free already (double put)");
        return false;
    }
    return true;
}

}  // namespace hotlane::pools
