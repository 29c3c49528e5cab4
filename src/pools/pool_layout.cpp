// SPDX-License-Identifier: MIT
//
// Plans pools, lays them out, and takes their memory under the limits.
#include "pools/pool_layout.h"

#include "lifecycle/startup.h"
#include "malloc/allocator.h"
#include "page_heap/region.h"
#include "platform/os.h"
#include "pools/hold_timer.h"
#include "pools/pool_growth.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

namespace hotlane::pools {

namespace {

constexpr size_t kMostBytes = PTRDIFF_MAX / 2;

/// The bytes of the slots, or of a shared pool's stack and its nodes.
size_t bytes_of_slots(const Plan& plan) {
    if (plan.is_shared()) {
        const size_t nodes = TaggedStack::nodes_for(plan.max_capacity) * sizeof(TaggedStack::Node);
        return sizeof(TaggedStack) + round_up(nodes, kAlignment);
    }
    return round_up(plan.max_capacity * sizeof(void*), kAlignment);
}

/// The bytes of what lies behind the Pool. SIZE_MAX: too many.
size_t bytes_of_parts(const Plan& plan) {
    if (plan.max_capacity > kMostBytes / (4 * sizeof(void*))) {
        return SIZE_MAX;
    }
    const size_t slots = bytes_of_slots(plan);
    if ((plan.flags & HOTLANE_POOL_RING) != 0) {
        return slots + sizeof(ReturnRing) + std::bit_ceil(plan.max_capacity) * sizeof(ReturnRing::Slot);
    }
    return plan.grows() ? slots + bytes_of_chunks() : slots;
}

/// What is charged against HOTLANE_LIMIT apart from the region's pages. Only the mode `fail` refuses memory.
bool counts_for_region(size_t bytes, bool reserves) {
    return config().limit_mode == LimitMode::fail && (reserves || bytes > kLargestSmall);
}

bool charge_all(size_t bytes, bool outside) {
    if (!charge(bytes)) {
        return false;
    }
    if (outside && !region.take_outside(bytes)) {
        discharge(bytes);
        return false;
    }
    return true;
}

void discharge_all(size_t bytes, bool outside) {
    discharge(bytes);
    if (outside) {
        region.put_back_outside(bytes);
    }
}

void touch(const Pool& pool, size_t bytes) {
    for (size_t at = 0; at < bytes; at += kSmallestOsPage) {
        static_cast<volatile char*>(pointer_to(pool.begin))[at] = 0;
    }
}

}  // namespace

bool plan(const hotlane_pool_settings& settings, Plan* out) {
    *out = {.object_size = round_up(settings.size, kAlignment),
            .capacity = settings.capacity,
            .max_capacity = std::max(settings.capacity, settings.max_capacity),
            .growth = settings.growth == 0 ? 1.5 : settings.growth,
            .flags = settings.flags};
    const bool is_ring = (settings.flags & HOTLANE_POOL_RING) != 0;
    if (settings.size == 0 || settings.size > PTRDIFF_MAX ||
        (is_ring && (out->is_shared() || out->grows())) || !(out->growth >= 1 && out->growth <= 1e6) ||
        (out->is_shared() && out->max_capacity > tagged_stack::kMostElements)) {
        return false;
    }
    const size_t parts = bytes_of_parts(*out);
    if (parts > kMostBytes ||
        __builtin_mul_overflow(out->max_capacity, out->object_size, &out->object_bytes) ||
        out->object_bytes > kMostBytes) {
        return false;
    }
    out->header_bytes = round_up(sizeof(Pool), kAlignment) + round_up(parts, kAlignment);
    out->committed_bytes = out->object_bytes;
    if (out->grows()) {
        plan_chunks(*out, nullptr);
    }
    return out->object_bytes <= kMostBytes;
}

Pool* lay_out(const Plan& plan, void* header, uintptr_t objects) {
    Pool* pool = new (header) Pool{};
    auto* parts = static_cast<std::byte*>(header) + round_up(sizeof(Pool), kAlignment);
    pool->begin = objects;
    pool->object_size = plan.object_size;
    pool->capacity = plan.capacity;
    pool->first_capacity = plan.capacity;
    pool->max_capacity = plan.max_capacity;
    pool->bytes = plan.object_bytes;
    pool->charged_bytes = plan.committed_bytes;
    pool->flags = plan.flags;
    pool->owner = address_of(__builtin_thread_pointer());
    if (plan.is_shared()) {
        pool->stack = new (parts) TaggedStack;
        pool->object_inverse = UINT64_MAX / plan.object_size + 1;
    } else {
        pool->bottom = reinterpret_cast<void**>(parts);
        pool->full = pool->bottom + plan.capacity;
    }
    parts += bytes_of_slots(plan);
    if ((plan.flags & HOTLANE_POOL_RING) != 0) {
        pool->ring = new (parts) ReturnRing;
    } else if (plan.grows()) {
        pool->chunks = new_chunks(plan, parts);
    }
    make_all_free(*pool);
    const size_t present = plan.capacity * plan.object_size;
    if ((plan.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        memset(pointer_to(pool->begin), 0, present);
    } else if (pool->stack == nullptr) {
        pool->extent = pool->bytes;
    }
    if ((plan.flags & HOTLANE_POOL_TOUCH) != 0) {
        touch(*pool, present);
    }
    hold_timer::set_up(*pool);
    return pool;
}

void make_all_free(Pool& pool) {
    if (pool.stack != nullptr) {
        auto* const nodes = reinterpret_cast<TaggedStack::Node*>(pool.stack + 1);
        pool.stack->set_up(nodes, static_cast<uint32_t>(pool.max_capacity),
                           static_cast<uint32_t>(pool.capacity));
        store_relaxed(pool.least_free, pool.max_capacity);
        return;
    }
    if (pool.ring != nullptr) {
        auto* const slots = reinterpret_cast<ReturnRing::Slot*>(pool.ring + 1);
        pool.ring->set_up(slots, std::bit_ceil(pool.capacity));
    }
    if (pool.chunks != nullptr) {
        fill_from_chunks(pool);
    } else {
        for (size_t i = 0; i < pool.capacity; ++i) {
            pool.full[-1 - static_cast<ptrdiff_t>(i)] = pointer_to(pool.begin + i * pool.object_size);
        }
    }
    if (pool.low == nullptr) {
        pool.low = pool.full;
    }
    store_relaxed(pool.top, pool.full);
}

Memory take_memory(size_t header_bytes, size_t object_bytes, size_t charged_bytes, bool reserves) {
    ensure_started();
    const size_t bytes = reserves ? header_bytes : header_bytes + object_bytes;
    const bool outside = counts_for_region(bytes, reserves);
    Memory memory;
    if (!charge_all(charged_bytes, outside)) {
        errno = ENOMEM;
        return memory;
    }
    memory.header = allocate_aligned(kAlignment, bytes);
    memory.objects = address_of(memory.header) + header_bytes;
    if (memory.header != nullptr && reserves) {
        memory.objects = address_of(os::reserve(object_bytes, os::page_size()));
        if (memory.objects == 0) {
            release(memory.header);
            memory.header = nullptr;
        }
    }
    if (memory.header == nullptr) {
        discharge_all(charged_bytes, outside);
        errno = ENOMEM;
    }
    return memory;
}

void give_memory_back(const Memory& memory, size_t object_bytes, size_t charged_bytes, bool reserves) {
    const size_t header_bytes = reserves ? 0 : memory.objects - address_of(memory.header);
    discharge_all(charged_bytes, counts_for_region(header_bytes + object_bytes, reserves));
    release(memory.header);
    if (reserves) {
        os::unreserve(pointer_to(memory.objects), object_bytes);
    }
}

bool commit_and_charge(uintptr_t begin, size_t bytes) {
    const bool outside = counts_for_region(bytes, true);
    if (!charge_all(bytes, outside)) {
        return false;
    }
    if (!os::commit(pointer_to(begin), bytes)) {
        discharge_all(bytes, outside);
        return false;
    }
    return true;
}

void purge_and_discharge(uintptr_t begin, size_t bytes) {
    // If the kernel refuses, the contents are kept, and the memory is charged again when the pool grows.
    static_cast<void>(os::purge(pointer_to(begin), bytes));
    discharge_all(bytes, counts_for_region(bytes, true));
}

}  // namespace hotlane::pools
