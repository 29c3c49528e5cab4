/* SPDX-License-Identifier: MIT
 *
 * Sets of bounded pools: buffers of several classes of sizes under one bound, C99. hotlane.h includes this.
 *
 * Sizes are in bytes. Functions without a remark on threads belong to the set's thread (see hotlane_pool), or
 * to any thread if the set is shared.
 */
#ifndef HOTLANE_POOL_SET_H
#define HOTLANE_POOL_SET_H

#include "hotlane/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One class of a set. */
struct hotlane_pool_class {
    size_t object_size;  /* bytes; rounded up to a multiple of 64 */
    size_t capacity;     /* buffers; 0: the allocator serves every request of this class, and is counted */
    size_t max_capacity; /* the set may grow to so many; 0: the capacity is fixed */
};

#define HOTLANE_POOL_SET_CLASSES 64U /* most classes of a set */

/** A set of pools, one for each class, in ascending order of their sizes. All objects lie in one range of
 * addresses, so that one subtraction and a table give the class of a buffer. The fields belong to the
 * library. */
struct hotlane_pool_set {
    hotlane_pool* recent;    /* the class of a recent put: a guess for the next one */
    uintptr_t begin;         /* of the objects of all classes */
    size_t extent;           /* bytes */
    unsigned shift;          /* log2 of the bytes that one entry of class_at stands for */
    unsigned count;          /* classes */
    size_t indexed;          /* entries of class_of */
    const uint8_t* class_of; /* of a size, by (size - 1) / 64 */
    const uint8_t* class_at; /* of an offset from begin, by offset >> shift */
    hotlane_pool* pools[HOTLANE_POOL_SET_CLASSES]; /* by class */
};
typedef struct hotlane_pool_set hotlane_pool_set;

/** How a set is made. Zero is the default of every field. */
struct hotlane_pool_set_settings {
    const char* name;                         /* the statistics call the classes "NAME/SIZE" */
    const struct hotlane_pool_class* classes; /* in any order; classes of one size are added up */
    size_t class_count;                       /* 1 to HOTLANE_POOL_SET_CLASSES */
    unsigned flags;                           /* HOTLANE_POOL_*, for all classes */
    size_t memory_limit;                      /* most bytes of all objects; 0: no limit */
    double growth;                            /* by which factor a class grows; 0: 1.5 */
};

/** Creates a set. `size` is sizeof *settings as the program was compiled; later versions append fields.
 * Returns null with errno EINVAL (a size is 0, there are no classes or too many, or the flags exclude each
 * other or the growth of a class), ENOMEM (no memory) or EDQUOT (more than `memory_limit`). With
 * HOTLANE_POOL_RING, the set's thread gets and puts, one other thread puts, and no class can grow.
 * O(all capacities). */
hotlane_pool_set* hotlane_pool_set_create(const struct hotlane_pool_set_settings* settings,
                                          size_t size) HOTLANE_NOTHROW;
/** Frees the set and its buffers. If buffers are still handed out, it reports their number on stderr and
 * keeps the memory. Null does nothing. Any thread may call it while no other thread uses the set. */
void hotlane_pool_set_destroy(hotlane_pool_set* set) HOTLANE_NOTHROW;
/** As hotlane_pool_adopt(), for all classes. */
void hotlane_pool_set_adopt(hotlane_pool_set* set) HOTLANE_NOTHROW;

/* The slow paths of the inlined functions. */
void* hotlane_pool_set_get_slow(hotlane_pool_set* set, size_t size) HOTLANE_NOTHROW;
void hotlane_pool_set_put_slow(hotlane_pool_set* set, void* p) HOTLANE_NOTHROW;

/** Returns a buffer of the smallest class that holds `size` bytes. If that class is exhausted, the next larger
 * one serves the request; if all of those are, the allocator does (HOTLANE_POOL_FALLBACK), or the result is
 * null with errno ENOBUFS. A size above the largest class gives null with errno EMSGSIZE. The buffer holds
 * what it held when it was put. O(1) while the smallest class has a buffer, O(classes) otherwise. */
HOTLANE_INLINE void* hotlane_pool_set_get(hotlane_pool_set* set, size_t size) {
    const size_t i = (size - 1) / 64;
    if (__builtin_expect(i >= set->indexed, 0)) {
        return hotlane_pool_set_get_slow(set, size);
    }
    return hotlane_pool_get(set->pools[set->class_of[i]]);
}

/** Puts a buffer back into its class. Null does nothing. Mistakes are refused as by hotlane_pool_put().
 * O(1). */
HOTLANE_INLINE void hotlane_pool_set_put(hotlane_pool_set* set, void* p) {
    /* A guess that is right needs no table, so the next get need not wait for the loads of this lookup. */
    hotlane_pool* pool = __atomic_load_n(&set->recent, __ATOMIC_RELAXED);
    if ((uintptr_t)p - pool->begin >= pool->extent) {
        const size_t offset = (uintptr_t)p - set->begin;
        if (__builtin_expect(offset >= set->extent, 0)) {
            hotlane_pool_set_put_slow(set, p);
            return;
        }
        pool = set->pools[set->class_at[offset >> set->shift]];
        if (pool->extent != 0) { /* 0: a guess would never be right */
            __atomic_store_n(&set->recent, pool, __ATOMIC_RELAXED);
        }
    }
    hotlane_pool_put(pool, p);
}

#ifdef __cplusplus
}
#endif

#endif
