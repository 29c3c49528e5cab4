// SPDX-License-Identifier: MIT
//
// The free objects of a shared pool are numbers on a tagged stack.
#include "pools/shared_pool.h"

#include "pools/pool_growth.h"

#include <algorithm>
#include <cstring>

namespace hotlane::pools {

namespace {

__extension__ using Wide = unsigned __int128;

/// Lowers the least number of free and absent objects that was seen.
void note_free(Pool& pool, uint64_t left) {
    uint64_t least = load_relaxed(pool.least_free);
    while (left < least && !__atomic_compare_exchange_n(&pool.least_free, &least, left, true,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/// The number of the object at an offset, by a multiplication instead of a division. It may be wrong if no
/// object begins there.
uint64_t number_at(const Pool& pool, uint64_t offset) {
    return static_cast<uint64_t>(static_cast<Wide>(offset) * pool.object_inverse >> 64U);
}

}  // namespace

void* get_shared(Pool& pool) {
    if (load_relaxed(pool.trim_due)) [[unlikely]] {
        // Before the pop, which may return an object of the last chunk.
        store_relaxed(pool.trim_due, false);
        shrink_to(pool, std::max(load_relaxed(pool.wanted_capacity), pool.in_use() + 1));
    }
    uint32_t left = 0;
    uint32_t number = pool.stack->pop(&left);
    while (number >= tagged_stack::kWait)
        [[unlikely]] {
            const bool is_largest = load_relaxed(pool.capacity) == pool.max_capacity;
            if ((number == tagged_stack::kNone && is_largest) || !grow(pool)) {
                return nullptr;
            }
            number = pool.stack->pop(&left);
        }
    if (left < load_relaxed(pool.least_free)) [[unlikely]] {
        note_free(pool, left);
    }
    return pointer_to(pool.begin + number * pool.object_size);
}

const char* why_not_shared(const Pool& pool, const void* p) {
    const uint64_t offset = address_of(p) - pool.begin;
    const uint64_t number = number_at(pool, offset);
    if (number * pool.object_size != offset || number >= load_relaxed(pool.capacity)) {
        return "not the start of an object";
    }
    return pool.stack->is_taken(static_cast<uint32_t>(number)) ? nullptr
                                                               : "the object is free already (double put)";
}

const char* put_shared(Pool& pool, void* p) {
    if (const char* why = why_not_shared(pool, p)) {
        return why;
    }
    if ((pool.flags & HOTLANE_POOL_ZERO_ON_PUT) != 0) {
        explicit_bzero(p, pool.object_size);
    }
    const auto number = static_cast<uint32_t>(number_at(pool, address_of(p) - pool.begin));
    return pool.stack->push(number) ? nullptr : "the object is free already (double put)";
}

}  // namespace hotlane::pools
