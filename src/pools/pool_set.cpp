// SPDX-License-Identifier: MIT
//
// Sets of pools: creation and destruction, requests that a class cannot serve, and puts of other classes'
// objects.
//
//   one allocation:  | set | class_of | class_at | header of each pool | objects of each class |
//
// If a class grows, the objects lie in a reserved range apart.
#include "pools/pool_set.h"

#include "platform/os.h"
#include "pools/pool.h"
#include "pools/pool_layout.h"
#include "text/writer.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>

namespace hotlane::pools {

namespace {

/// Sizes beyond this are looked up by their classes, without the table.
constexpr size_t kIndexedBytes = 64 * KiB;
/// The most entries of class_at, roughly.
constexpr size_t kMostGranules = 1024;

Pool& pool_at(const hotlane_pool_set& set, size_t c) { return static_cast<Pool&>(*set.pools[c]); }

/// How the parts of a set lie in its allocation.
struct SetPlan {
    Plan classes[HOTLANE_POOL_SET_CLASSES];
    unsigned count = 0;
    unsigned shift = 6;          // of hotlane_pool_set
    size_t indexed = 0;          // of hotlane_pool_set
    size_t granules = 0;         // entries of class_at
    size_t header_bytes = 0;     // everything before the objects
    size_t object_bytes = 0;     // of addresses
    size_t committed_bytes = 0;  // of all objects at first
    bool reserves = false;

    size_t granule() const { return size_t{1} << shift; }
    size_t largest() const { return classes[count - 1].object_size; }
};

/// Adds one to another class of the same size. Returns false on overflow.
bool merge(hotlane_pool_class& into, const hotlane_pool_class& one) {
    const size_t most = std::max(into.max_capacity, into.capacity);
    const size_t other = std::max(one.max_capacity, one.capacity);
    return !__builtin_add_overflow(into.capacity, one.capacity, &into.capacity) &&
           !__builtin_add_overflow(most, other, &into.max_capacity);
}

/// Sorts the classes by size and adds up those of one size. Returns false if one is impossible.
bool plan_classes(const hotlane_pool_set_settings& settings, SetPlan& out) {
    hotlane_pool_class sorted[HOTLANE_POOL_SET_CLASSES];
    std::copy_n(settings.classes, settings.class_count, sorted);
    for (hotlane_pool_class& one : std::span{sorted, settings.class_count}) {
        if (one.object_size == 0 || one.object_size > PTRDIFF_MAX) {
            return false;
        }
        one.object_size = round_up(one.object_size, kAlignment);
    }
    std::sort(sorted, sorted + settings.class_count,
              [](const auto& a, const auto& b) { return a.object_size < b.object_size; });
    for (size_t i = 0; i < settings.class_count;) {
        hotlane_pool_class one = sorted[i];
        while (++i < settings.class_count && sorted[i].object_size == one.object_size) {
            if (!merge(one, sorted[i])) {
                return false;
            }
        }
        const hotlane_pool_settings of_class{nullptr,          one.object_size, one.capacity,
                                             one.max_capacity, settings.growth, settings.flags};
        if (!plan(of_class, &out.classes[out.count++])) {
            return false;
        }
    }
    return true;
}

/// Chooses the granule and adds everything up. Returns false if the sum is not an allocation.
bool add_up(SetPlan& out) {
    size_t objects = 0;
    for (unsigned c = 0; c < out.count; ++c) {
        if (__builtin_add_overflow(objects, out.classes[c].object_bytes, &objects)) {
            return false;
        }
        out.header_bytes += out.classes[c].header_bytes;
        out.committed_bytes += out.classes[c].committed_bytes;
        out.reserves = out.reserves || out.classes[c].grows();
    }
    if (objects > PTRDIFF_MAX / 2) {
        return false;
    }
    const size_t least = out.reserves ? os::page_size() : kAlignment;  // chunks begin at pages
    out.shift =
        static_cast<unsigned>(std::countr_zero(std::bit_ceil(std::max(least, objects / kMostGranules))));
    for (unsigned c = 0; c < out.count; ++c) {
        out.object_bytes += round_up(out.classes[c].object_bytes, out.granule());
    }
    out.granules = out.object_bytes >> out.shift;
    out.indexed = std::min(out.largest(), kIndexedBytes) / kAlignment;
    out.header_bytes += round_up(sizeof(Set), kAlignment) + round_up(out.indexed + out.granules, kAlignment);
    return out.header_bytes <= PTRDIFF_MAX / 2;
}

/// The name of a class in the statistics: "set/128". A long name is cut.
void enter_class(Pool& pool, const char* name) {
    char text[PoolStats::kNameCapacity] = {};
    char suffix[24] = {};
    Writer end(suffix, sizeof suffix);
    end.text("/").number(pool.object_size).flush();
    const char* const set_name = name == nullptr || name[0] == '\0' ? "unnamed" : name;
    Writer out(text, sizeof text - 1);
    out.text({set_name, strnlen(set_name, sizeof text - 1 - end.bytes_written())}).text(suffix).flush();
    enter(pool, text);
}

/// Makes the memory of the classes usable that have it from the start.
bool commit_all(const SetPlan& wanted, uintptr_t objects) {
    for (unsigned c = 0; c < wanted.count; ++c) {
        const size_t bytes = round_up(wanted.classes[c].committed_bytes, os::page_size());
        if (bytes != 0 && !os::commit(pointer_to(objects), bytes)) {
            return false;
        }
        objects += round_up(wanted.classes[c].object_bytes, wanted.granule());
    }
    return true;
}

Set* lay_out_set(const SetPlan& wanted, const Memory& memory, const char* name) {
    Set* const set = new (memory.header) Set{};
    auto* const class_of = static_cast<uint8_t*>(memory.header) + round_up(sizeof(Set), kAlignment);
    uint8_t* const class_at = class_of + wanted.indexed;
    set->begin = memory.objects;
    set->extent = wanted.object_bytes;
    set->shift = wanted.shift;
    set->count = wanted.count;
    set->indexed = wanted.indexed;
    set->class_of = class_of;
    set->class_at = class_at;
    set->bytes = wanted.committed_bytes;
    set->reserved_bytes = wanted.object_bytes;
    set->reserves = wanted.reserves;
    uintptr_t header = round_up(address_of(class_at + wanted.granules), kAlignment);
    uintptr_t objects = set->begin;
    size_t size_index = 0;
    for (unsigned c = 0; c < wanted.count; ++c) {
        const Plan& of_class = wanted.classes[c];
        const size_t bytes = round_up(of_class.object_bytes, wanted.granule());
        Pool* pool = lay_out(of_class, pointer_to(header), objects);
        pool->set = set;
        pool->number = c;
        set->pools[c] = pool;
        memset(class_at + ((objects - set->begin) >> wanted.shift), static_cast<int>(c),
               bytes >> wanted.shift);
        for (; size_index < wanted.indexed && size_index < of_class.object_size / kAlignment; ++size_index) {
            class_of[size_index] = static_cast<uint8_t>(c);
        }
        header += of_class.header_bytes;
        objects += bytes;
        enter_class(*pool, name);
    }
    set->recent = set->pools[0];
    return set;
}

hotlane_pool_set* fail_with(int error) {
    errno = error;
    return nullptr;
}

}  // namespace

hotlane_pool_set* create_set(const hotlane_pool_set_settings* settings, size_t size) {
    const hotlane_pool_set_settings known = known_settings(settings, size);
    SetPlan wanted;
    if (known.class_count == 0 || known.class_count > HOTLANE_POOL_SET_CLASSES ||
        !plan_classes(known, wanted) || !add_up(wanted)) {
        return fail_with(EINVAL);
    }
    const size_t limit = known.memory_limit == 0 ? SIZE_MAX : known.memory_limit;
    if (wanted.committed_bytes > limit) {
        return fail_with(EDQUOT);
    }
    const Memory memory =
        take_memory(wanted.header_bytes, wanted.object_bytes, wanted.committed_bytes, wanted.reserves);
    if (memory.header == nullptr) {
        return nullptr;
    }
    if (wanted.reserves && !commit_all(wanted, memory.objects)) {
        give_memory_back(memory, wanted.object_bytes, wanted.committed_bytes, true);
        return fail_with(ENOMEM);
    }
    Set* const set = lay_out_set(wanted, memory, known.name);
    set->memory_limit = limit;
    return set;
}

void destroy_set(hotlane_pool_set* set) {
    if (set == nullptr) {
        return;
    }
    uint64_t outstanding = 0;
    for (unsigned c = 0; c < set->count; ++c) {
        leave(pool_at(*set, c));
        outstanding += outstanding_in(pool_at(*set, c));
    }
    if (outstanding == 0) {
        const Set& whole = static_cast<Set&>(*set);
        return give_memory_back({set, set->begin}, whole.reserved_bytes, whole.bytes, whole.reserves);
    }
    report_outstanding("pool set", name_of(pool_at(*set, 0)), outstanding);
}

bool set_may_grow(hotlane_pool_set& set, size_t bytes) {
    Set& whole = static_cast<Set&>(set);
    if (bytes > whole.memory_limit - whole.bytes) {
        return false;
    }
    whole.bytes += bytes;
    return true;
}

void set_shrank(hotlane_pool_set& set, size_t bytes) { static_cast<Set&>(set).bytes -= bytes; }

void adopt_set(hotlane_pool_set& set) {
    for (unsigned c = 0; c < set.count; ++c) {
        adopt(pool_at(set, c));
    }
}

void* get_from_set(hotlane_pool_set& set, size_t size) {
    for (unsigned c = 0; c < set.count; ++c) {
        if (set.pools[c]->object_size >= size) {
            return hotlane_pool_get(set.pools[c]);
        }
    }
    errno = EMSGSIZE;
    return nullptr;
}

void* get_from_larger(hotlane_pool_set& set, Pool& pool) {
    for (unsigned c = pool.number + 1; c < set.count; ++c) {
        if (void* p = get_own(pool_at(set, c))) {
            return p;
        }
    }
    return get_from_allocator(pool);
}

void put_into_other(hotlane_pool_set& set, Pool& pool, void* p) {
    const size_t offset = address_of(p) - set.begin;
    if (offset < set.extent) {
        Pool& right = pool_at(set, set.class_at[offset >> set.shift]);
        if (&right != &pool) {  // the bytes between two classes belong to no object
            return hotlane_pool_put(&right, p);
        }
    }
    for (unsigned c = 0; load_relaxed(pool.fallbacks_in_use) == 0 && c < set.count; ++c) {
        if (load_relaxed(pool_at(set, c).fallbacks_in_use) != 0) {
            return put_to_allocator(pool_at(set, c), p);
        }
    }
    put_to_allocator(pool, p);
}

void put_into_set(hotlane_pool_set& set, void* p) {
    if (p != nullptr) {
        put_into_other(set, pool_at(set, 0), p);
    }
}

}  // namespace hotlane::pools
