// SPDX-License-Identifier: MIT
//
// Grows pools by chunks, and gives chunks back.
#include "pools/pool_growth.h"

#include "platform/os.h"
#include "pools/pool_set.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace hotlane::pools {

namespace {

using Chunk = PoolChunks::Chunk;

/// The pages that a chunk adds: without the page that it shares with the one before it.
struct Pages {
    uintptr_t begin;
    size_t bytes;
};
Pages pages_of(const Pool& pool, const Chunk& chunk) {
    const size_t begin = round_up(chunk.offset, os::page_size());
    const size_t end = round_up(chunk.offset + chunk.objects * pool.object_size, os::page_size());
    return {pool.begin + begin, end - begin};
}

/// The chunk that an object of the pool lies in.
uint32_t chunk_at(const Pool& pool, uintptr_t at) {
    const PoolChunks& chunks = *pool.chunks;
    const Chunk* const after =
        std::upper_bound(chunks.all, chunks.all + chunks.count, at - pool.begin,
                         [](size_t offset, const Chunk& chunk) { return offset < chunk.offset; });
    return static_cast<uint32_t>(after - chunks.all - 1);
}

/// Orders the free objects: the lowest address on top, so that the chunks at the end become free as a whole.
void sort_free(Pool& pool) {
    std::sort(pool.bottom, pool.top, [](void* a, void* b) { return address_of(a) > address_of(b); });
}

/// Adds the objects of a chunk to the free ones of a pool that has none.
void add_objects(Pool& pool, const Chunk& chunk) {
    for (size_t i = 0; i < chunk.objects; ++i) {
        pool.bottom[chunk.objects - 1 - i] = pointer_to(pool.begin + chunk.offset + i * pool.object_size);
    }
}

/// Marks the chunks in `leaves` that are free as a whole, while `least` objects remain, and takes their objects
/// from the pool. Returns false if there are none.
bool withdraw(Pool& pool, size_t least, bool* leaves) {
    PoolChunks& chunks = *pool.chunks;
    size_t free_objects[PoolChunks::kMost] = {};
    for (void** slot = pool.bottom; slot != pool.top; ++slot) {
        ++free_objects[chunk_at(pool, address_of(*slot))];
    }
    size_t capacity = pool.capacity;
    for (uint32_t i = chunks.count; i-- > 1;) {
        const Chunk& chunk = chunks.all[i];
        if (chunk.present && free_objects[i] == chunk.objects && capacity - chunk.objects >= least) {
            leaves[i] = true;
            capacity -= chunk.objects;
        }
    }
    if (capacity == pool.capacity) {
        return false;
    }
    void** const end = std::remove_if(
        pool.bottom, pool.top, [&](void* object) { return leaves[chunk_at(pool, address_of(object))]; });
    HOTLANE_CHECK(static_cast<size_t>(pool.top - end) == pool.capacity - capacity);
    resize(pool, end - pool.top);
    sort_free(pool);
    return true;
}

/// The same for a shared pool, from the last chunk on. The caller holds a RegistryGuard.
bool withdraw_shared(Pool& pool, size_t least, bool* leaves) {
    const PoolChunks& chunks = *pool.chunks;
    size_t capacity = pool.capacity;
    if (capacity <= least) {
        return false;
    }
    pool.stack->hold_all();
    for (uint32_t i = chunks.count; i-- > 1;) {
        const Chunk& chunk = chunks.all[i];
        if (!chunk.present) {
            continue;
        }
        size_t first = capacity;
        while (first > capacity - chunk.objects && pool.stack->is_held(static_cast<uint32_t>(first - 1))) {
            --first;
        }
        if (first > capacity - chunk.objects || first < least) {
            break;
        }
        leaves[i] = true;
        capacity = first;
    }
    const bool found = capacity != pool.capacity;
    if (found) {
        set_shared_capacity(pool, capacity);
    }
    pool.stack->end_change(static_cast<uint32_t>(capacity));
    return found;
}

/// Gives the memory of these chunks back. Returns how many bytes.
size_t give_back(Pool& pool, const bool* leaves) {
    size_t bytes = 0;
    for (uint32_t i = 1; i < pool.chunks->count; ++i) {
        if (leaves[i]) {
            const Pages pages = pages_of(pool, pool.chunks->all[i]);
            pool.chunks->all[i].present = false;
            bytes += pages.bytes;
            purge_and_discharge(pages.begin, pages.bytes);
        }
    }
    pool.charged_bytes -= bytes;
    if (pool.set != nullptr) {
        set_shrank(*pool.set, bytes);
    }
    return bytes;
}

/// Gives memory to the next chunk that has none. Null: there is no such chunk, or a limit or the system refuses.
Chunk* commit_next(Pool& pool) {
    PoolChunks& chunks = *pool.chunks;
    Chunk* const next = std::find_if(chunks.all, chunks.all + chunks.count,
                                     [](const Chunk& chunk) { return !chunk.present; });
    if (next == chunks.all + chunks.count) {
        return nullptr;
    }
    const Pages pages = pages_of(pool, *next);
    if (pool.set != nullptr && !set_may_grow(*pool.set, pages.bytes)) {
        return nullptr;
    }
    if (!commit_and_charge(pages.begin, pages.bytes)) {
        if (pool.set != nullptr) {
            set_shrank(*pool.set, pages.bytes);
        }
        return nullptr;
    }
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        // Pages that were given back read as zero, unless the kernel refused to take them.
        memset(pointer_to(pool.begin + next->offset), 0, next->objects * pool.object_size);
    }
    next->present = true;
    pool.charged_bytes += pages.bytes;
    add_relaxed(pool.growths, 1);
    note_growth();
    return next;
}

bool add_chunk(Pool& pool) {
    const Chunk* const added = commit_next(pool);
    if (added == nullptr) {
        return false;
    }
    add_objects(pool, *added);
    resize(pool, static_cast<ptrdiff_t>(added->objects));
    return true;
}

bool grow_shared(Pool& pool) {
    const RegistryGuard guard;
    if (!pool.stack->is_empty()) {
        return true;  // another thread has put an object, or the pool has grown meanwhile
    }
    const Chunk* const added = commit_next(pool);
    if (added == nullptr) {
        return false;
    }
    const size_t before = pool.capacity;
    const size_t after = before + added->objects;
    set_shared_capacity(pool, after);
    for (size_t i = before; i < after; ++i) {
        pool.stack->hold(static_cast<uint32_t>(i));
    }
    pool.stack->end_change(static_cast<uint32_t>(after));
    return true;
}

}  // namespace

size_t bytes_of_chunks() { return round_up(sizeof(PoolChunks), kAlignment); }

void plan_chunks(Plan& plan, PoolChunks* out) {
    PoolChunks chunks;
    size_t objects = 0;
    size_t bytes = 0;
    while (objects < plan.max_capacity) {
        const size_t most = plan.max_capacity - objects;
        const auto grown = static_cast<double>(objects) * plan.growth;
        size_t more = plan.capacity;
        if (chunks.count == PoolChunks::kMost - 1 || grown >= static_cast<double>(plan.max_capacity)) {
            more = most;
        } else if (objects != 0) {
            // At least what whole pages hold, because a page is the least that can be given back.
            const size_t wanted = std::max<size_t>(static_cast<size_t>(grown), objects + 1) - objects;
            more = round_up(wanted * plan.object_size, os::page_size()) / plan.object_size;
        }
        if (more == 0 && objects == 0 && chunks.count == 0) {
            more =
                std::max<size_t>(1, os::page_size() / plan.object_size);  // the first growth of an empty pool
            chunks.all[chunks.count++] = {0, 0, true};
        }
        Chunk& chunk = chunks.all[chunks.count++];
        chunk = {bytes, std::min(more, most), chunks.count == 1};
        objects += chunk.objects;
        bytes += chunk.objects * plan.object_size;
        bytes = plan.is_shared() ? bytes : round_up(bytes, os::page_size());
    }
    plan.object_bytes = round_up(bytes, os::page_size());
    plan.committed_bytes = round_up(plan.capacity * plan.object_size, os::page_size());
    if (out != nullptr) {
        *out = chunks;
    }
}

PoolChunks* new_chunks(const Plan& plan, void* memory) {
    auto* const chunks = new (memory) PoolChunks;
    Plan copy = plan;
    plan_chunks(copy, chunks);
    return chunks;
}

void fill_from_chunks(Pool& pool) {
    void** slot = pool.full;
    for (uint32_t i = 0; i < pool.chunks->count; ++i) {
        const Chunk& chunk = pool.chunks->all[i];
        for (size_t k = 0; chunk.present && k < chunk.objects; ++k) {
            *--slot = pointer_to(pool.begin + chunk.offset + k * pool.object_size);
        }
    }
}

bool grow(Pool& pool) { return pool.stack != nullptr ? grow_shared(pool) : add_chunk(pool); }

size_t shrink_to(Pool& pool, size_t wanted) {
    bool leaves[PoolChunks::kMost] = {};
    const size_t least = std::max(wanted, pool.first_capacity);
    if (pool.stack != nullptr) {
        const RegistryGuard guard;
        return withdraw_shared(pool, least, leaves) ? give_back(pool, leaves) : 0;
    }
    return withdraw(pool, least, leaves) ? give_back(pool, leaves) : 0;
}

bool is_start_in_chunk(const Pool& pool, const void* p) {
    const Chunk& chunk = pool.chunks->all[chunk_at(pool, address_of(p))];
    const size_t offset = address_of(p) - pool.begin - chunk.offset;
    return chunk.present && offset % pool.object_size == 0 && offset / pool.object_size < chunk.objects;
}

}  // namespace hotlane::pools
