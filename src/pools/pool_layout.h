// SPDX-License-Identifier: MIT
//
// Where the parts of a pool lie, and the memory they lie in.
//
//   of a pool that does not grow, one allocation:   | Pool | slots | objects, each at a multiple of 64 |
//   of a pool that grows:                           | Pool | slots | chunks |     reserved: | objects |
//   of a shared pool, instead of the slots:         the stack and its nodes; its objects lie without gaps
//   of a ring, after the slots:                     the ring and its slots
#pragma once

#include "stats/pool_registry.h"

#include <algorithm>
#include <cstring>

namespace hotlane::pools {

inline constexpr size_t kAlignment = 64;

/// The settings of a program that was compiled with `size` bytes of them: what it does not know is 0.
template <typename Settings>
Settings known_settings(const Settings* settings, size_t size) {
    Settings known{};
    memcpy(&known, settings, std::min(size, sizeof known));
    return known;
}

/// What a pool needs. Sizes are multiples of 64 bytes.
struct Plan {
    size_t object_size = 0;
    size_t capacity = 0;
    size_t max_capacity = 0;
    double growth = 0;
    unsigned flags = 0;
    size_t header_bytes = 0;     // Pool, slots and the like
    size_t object_bytes = 0;     // of addresses for the objects
    size_t committed_bytes = 0;  // of these, with memory from the start

    bool grows() const { return max_capacity > capacity; }
    bool is_shared() const { return (flags & HOTLANE_POOL_SHARED) != 0; }
};

/// Plans a pool. Returns false if the settings exclude each other, or a part would exceed the limit of an
/// allocation. A capacity of 0 is possible.
bool plan(const hotlane_pool_settings& settings, Plan* out);
/// Makes a pool in memory of its own: `header` for header_bytes at a multiple of 64, `objects` for object_bytes.
/// It is not in the registry yet.
Pool* lay_out(const Plan& plan, void* header, uintptr_t objects);
/// Marks every object of a pool as free, the lowest address on top. No thread uses the pool meanwhile.
void make_all_free(Pool& pool);

/// The memory of a pool or a set.
struct Memory {
    void* header = nullptr;  // null: there was none
    uintptr_t objects = 0;
};
/// Takes memory, and charges it. If `reserves`, the objects' addresses are reserved without memory; the caller
/// commits what it needs. On failure, sets errno to ENOMEM.
Memory take_memory(size_t header_bytes, size_t object_bytes, size_t charged_bytes, bool reserves);
/// Gives it back. `charged_bytes`: what is charged now.
void give_memory_back(const Memory& memory, size_t object_bytes, size_t charged_bytes, bool reserves);
/// Makes reserved addresses usable and charges them. Returns false if the system refuses or a limit is reached.
[[nodiscard]] bool commit_and_charge(uintptr_t begin, size_t bytes);
void purge_and_discharge(uintptr_t begin, size_t bytes);

}  // namespace hotlane::pools
