// SPDX-License-Identifier: MIT
//
// Sets of pools: creation and destruction, requests that a class cannot serve, and puts of other classes'
// objects.
//
//   one allocation:  | set | class_of | class_at | header of each pool | objects of each class |
#include "api/pool_set.h"

#include "api/pool.h"
#include "malloc/allocator.h"
#include "text/writer.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

namespace hotlane::pools {

namespace {

constexpr size_t kAlignment = 64;
/// Sizes beyond this are looked up by their classes, without the table.
constexpr size_t kIndexedBytes = 64 * KiB;
/// The most entries of class_at, roughly.
constexpr size_t kMostGranules = 1024;

Pool& pool_at(const hotlane_pool_set& set, size_t c) { return static_cast<Pool&>(*set.pools[c]); }

/// How the parts of a set lie in its allocation.
struct SetPlan {
    Plan classes[HOTLANE_POOL_SET_CLASSES];
    unsigned count = 0;
    unsigned shift = 6;       // of hotlane_pool_set
    size_t indexed = 0;       // of hotlane_pool_set
    size_t granules = 0;      // entries of class_at
    size_t header_bytes = 0;  // everything before the objects
    size_t object_bytes = 0;

    size_t granule() const { return size_t{1} << shift; }
    size_t largest() const { return classes[count - 1].object_size; }
};

/// Sorts the classes by size and adds up those of one size. Returns false if one is impossible.
bool plan_classes(const hotlane_pool_set_settings& settings, SetPlan& out) {
    hotlane_pool_class sorted[HOTLANE_POOL_SET_CLASSES];
    std::copy_n(settings.classes, settings.class_count, sorted);
    std::sort(sorted, sorted + settings.class_count,
              [](const auto& a, const auto& b) { return a.object_size < b.object_size; });
    for (size_t i = 0; i < settings.class_count; ++i) {
        size_t capacity = sorted[i].capacity;
        Plan* before = out.count == 0 ? nullptr : &out.classes[out.count - 1];
        const bool same =
            before != nullptr && before->object_size == round_up(sorted[i].object_size, kAlignment);
        if (sorted[i].object_size == 0 ||
            (same && __builtin_add_overflow(capacity, before->capacity, &capacity)) ||
            !plan(sorted[i].object_size, capacity, settings.flags, same ? before : &out.classes[out.count])) {
            return false;
        }
        out.count += same ? 0 : 1;
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
    }
    if (objects > PTRDIFF_MAX / 2) {
        return false;
    }
    out.shift =
        static_cast<unsigned>(std::countr_zero(std::bit_ceil(std::max(kAlignment, objects / kMostGranules))));
    for (unsigned c = 0; c < out.count; ++c) {
        out.object_bytes += round_up(out.classes[c].object_bytes, out.granule());
    }
    out.granules = out.object_bytes >> out.shift;
    out.indexed = std::min(out.largest(), kIndexedBytes) / kAlignment;
    out.header_bytes += round_up(sizeof(hotlane_pool_set) + out.indexed + out.granules, kAlignment);
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

hotlane_pool_set* lay_out_set(const SetPlan& wanted, void* memory, const char* name) {
    auto* const set = new (memory) hotlane_pool_set{};
    auto* const class_of = reinterpret_cast<uint8_t*>(set + 1);
    uint8_t* const class_at = class_of + wanted.indexed;
    set->begin = address_of(memory) + wanted.header_bytes;
    set->extent = wanted.object_bytes;
    set->shift = wanted.shift;
    set->count = wanted.count;
    set->indexed = wanted.indexed;
    set->class_of = class_of;
    set->class_at = class_at;
    uintptr_t header = round_up(address_of(class_at + wanted.granules), kAlignment);
    uintptr_t objects = set->begin;
    size_t size_index = 0;
    for (unsigned c = 0; c < wanted.count; ++c) {
        const Plan& of_class = wanted.classes[c];
        const size_t bytes = round_up(of_class.object_bytes, wanted.granule());
        Pool* pool = lay_out(of_class, pointer_to(header), objects);
        pool->set = set;
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
    return set;
}

hotlane_pool_set* fail_with(int error) {
    errno = error;
    return nullptr;
}

}  // namespace

hotlane_pool_set* create_set(const hotlane_pool_set_settings* settings, size_t size) {
    hotlane_pool_set_settings known{};
    memcpy(&known, settings, std::min(size, sizeof known));
    SetPlan wanted;
    if (known.class_count == 0 || known.class_count > HOTLANE_POOL_SET_CLASSES ||
        !plan_classes(known, wanted) || !add_up(wanted)) {
        return fail_with(EINVAL);
    }
    size_t bytes = 0;
    for (unsigned c = 0; c < wanted.count; ++c) {
        bytes += wanted.classes[c].object_bytes;
    }
    if (known.memory_limit != 0 && bytes > known.memory_limit) {
        return fail_with(EDQUOT);
    }
    void* memory = allocate_aligned(kAlignment, wanted.header_bytes + wanted.object_bytes);
    return memory == nullptr ? nullptr : lay_out_set(wanted, memory, known.name);
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
        return release(set);
    }
    report_outstanding("pool set", name_of(pool_at(*set, 0)), outstanding);
}

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
    for (unsigned c = 0; c < set.count; ++c) {
        Pool& larger = pool_at(set, c);
        if (larger.object_size > pool.object_size && larger.top != larger.bottom) {
            return hotlane_pool_get(&larger);
        }
    }
    return get_from_allocator(pool);
}

void put_into_other(hotlane_pool_set& set, Pool& pool, void* p) {
    const size_t offset = address_of(p) - set.begin;
    if (offset < set.extent) {
        Pool& right = pool_at(set, set.class_at[offset >> set.shift]);
        // The bytes between two classes belong to no object.
        return &right != &pool ? hotlane_pool_put(&right, p) : put_to_allocator(pool, p);
    }
    for (unsigned c = 0; pool.fallbacks_in_use == 0 && c < set.count; ++c) {
        if (pool_at(set, c).fallbacks_in_use != 0) {
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
