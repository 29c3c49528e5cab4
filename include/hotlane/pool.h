/* SPDX-License-Identifier: MIT
 *
 * Bounded pools of objects of one size, C99. hotlane.h includes this, and has the rules that hold for all
 * functions.
 */
#ifndef HOTLANE_POOL_H
#define HOTLANE_POOL_H

#include <stddef.h>
#include <stdint.h>

/* A function that is always inlined, and that the library exports, too: for a call through a pointer, and for
 * languages that cannot include a header. */
#define HOTLANE_INLINE extern inline __attribute__((gnu_inline, always_inline))

#ifdef __cplusplus
#define HOTLANE_NOTHROW noexcept
extern "C" {
#else
#define HOTLANE_NOTHROW __attribute__((nothrow))
#endif

/** `capacity` objects of one size, all allocated when the pool is created, handed out last in, first out. A
 * pool belongs to one thread: the one that created it or last adopted it. Get and put therefore take no
 * lock. They are inlined, about twelve instructions. Any thread may read the statistics. The fields belong
 * to the library. Pools that several threads use (HOTLANE_POOL_SHARED, HOTLANE_POOL_RING) and pools that grow
 * have the same functions.
 *
 *    bottom                          top                       full
 *      | free | free | ... | next get |  (handed out)   ...      |
 *                 ^ low
 *
 * `low` is the lowest `top` since the statistics were last reset. One comparison with it therefore detects
 * both an exhausted pool and a new peak. The countdown counts the gets. In a timed pool, it ends at a sample
 * of them, whose objects are timed until they are put back. */
struct hotlane_pool {
    void** top;
    void** low;
    uint64_t countdown; /* gets until one takes the slow path, which may time how long the object is held */
    uintptr_t begin;    /* the first object */
    size_t extent;      /* bytes from there on; the put of an object beyond them takes the slow path */
    void** full;
    void** bottom;
    size_t object_size; /* bytes, a multiple of 64 */
    uintptr_t owner;    /* the thread pointer of the pool's thread */
};
typedef struct hotlane_pool hotlane_pool;

#define HOTLANE_POOL_FAIL 0U        /* when exhausted, get returns null */
#define HOTLANE_POOL_FALLBACK 1U    /* when exhausted, the allocator serves the request, and it is counted */
#define HOTLANE_POOL_TOUCH 2U       /* touches all pages at creation, so that page faults happen then */
#define HOTLANE_POOL_ZERO_ON_PUT 4U /* clears objects at creation and when they come back */
#define HOTLANE_POOL_SHARED 8U      /* any thread gets and puts, at any time, without a lock */
#define HOTLANE_POOL_RING 16U   /* the pool's thread gets and puts; one other thread puts, without a lock */
#define HOTLANE_POOL_TIMED 256U /* measures how long objects are handed out: see below */
#define HOTLANE_POOL_IN_ORDER 512U /* strictly last in, first out: never timed */

/* A timed pool measures for how long a sample of its objects is handed out: one in 1 to 12,288 gets, depending
 * on how many there are in a millisecond. A get of the sample returns another free object than the one that
 * was put last. HOTLANE_POOL_TIMES=1 times all pools but those that are in order. It reads the processor's
 * time-stamp counter, which a sandbox in strict mode (seccomp) does not allow. Only pools of one thread that do not
 * grow are timed. */

/** How a pool is made. Zero is the default of every field. */
struct hotlane_pool_settings {
    const char* name;    /* see hotlane_pool_create() */
    size_t size;         /* bytes of an object, at least */
    size_t capacity;     /* objects at first */
    size_t max_capacity; /* the pool grows to so many objects when it is exhausted; 0: it does not grow */
    double growth;       /* by which factor it grows; at least 1; 0: 1.5 */
    unsigned flags;      /* HOTLANE_POOL_* */
};

/** Creates a pool of `capacity` objects of at least `size` bytes, each at a multiple of 64. `name` is what
 * the statistics call it (null: "unnamed"; the first 31 bytes are copied). Pools of the same name are
 * added up. `flags`: see above. Returns null with errno EINVAL (size or capacity is 0, their product is too
 * large, or the flags exclude each other) or ENOMEM (no memory, or HOTLANE_POOL_LIMIT or HOTLANE_LIMIT is
 * reached). A shared pool has at most 16,777,214 objects. O(capacity). */
hotlane_pool* hotlane_pool_create(const char* name, size_t size, size_t capacity,
                                  unsigned flags) HOTLANE_NOTHROW;
/** The same with all settings. `size` is sizeof *settings as the program was compiled; later versions append
 * fields. A pool that grows reserves addresses for max_capacity objects, and memory for those it has. It
 * grows by whole pages when it is exhausted; that get takes a system call, and of a shared pool a lock. Chunks
 * that were not needed for HOTLANE_PURGE_DELAY return to the kernel in a later get; those of a shared pool from
 * the last one on. A ring has room for a fixed number of objects, so HOTLANE_POOL_RING with a max_capacity
 * above the capacity gives EINVAL. */
hotlane_pool* hotlane_pool_create_with(const struct hotlane_pool_settings* settings,
                                       size_t size) HOTLANE_NOTHROW;
/** Frees the pool and its objects. If objects are still handed out, it reports their number on stderr and
 * keeps the memory, so that they remain valid. Null does nothing. Any thread may call it while no other
 * thread uses the pool. */
void hotlane_pool_destroy(hotlane_pool* pool) HOTLANE_NOTHROW;
/** Makes the calling thread the owner of the pool. The caller makes sure that no other thread is using it. */
void hotlane_pool_adopt(hotlane_pool* pool) HOTLANE_NOTHROW;
/** Takes back every object at once, also those that are handed out, but not those that came from the
 * fallback. O(capacity). */
void hotlane_pool_reset(hotlane_pool* pool) HOTLANE_NOTHROW;

/** Tells the statistics that each object of the pool owns `bytes` outside the pool, for as long as the pool
 * exists. Its objects then count as that much larger. Only the pool's thread may call it. O(1). */
void hotlane_pool_own_each(hotlane_pool* pool, size_t bytes) HOTLANE_NOTHROW;
/** Tells the statistics that the objects of the pool together own `bytes` more, or less if it is negative.
 * Only the pool's thread may call it. O(1). */
void hotlane_pool_own(hotlane_pool* pool, ptrdiff_t bytes) HOTLANE_NOTHROW;
/** Returns the memory of all chunks that no handed-out object lies in to the kernel, and reduces the capacity
 * of the pool by them, but not below its first capacity. Returns how many bytes. 0 for pools that do not grow.
 * Only the pool's thread, or any if the pool is shared. O(capacity * log(capacity)). */
size_t hotlane_pool_trim(hotlane_pool* pool) HOTLANE_NOTHROW;
/** How many objects are handed out, those of the allocator not counted; and how many the pool has. Exact while
 * no other thread uses the pool. O(1). Any thread. */
size_t hotlane_pool_in_use(const hotlane_pool* pool) HOTLANE_NOTHROW;
size_t hotlane_pool_capacity(const hotlane_pool* pool) HOTLANE_NOTHROW;

/* The slow paths of the inlined functions. */
void* hotlane_pool_get_slow(hotlane_pool* pool) HOTLANE_NOTHROW;
void hotlane_pool_put_slow(hotlane_pool* pool, void* p) HOTLANE_NOTHROW;
/* Whether the calling thread may get an object (p is null) or put p. If not, writes the reason to stderr
 * and aborts, unless HOTLANE_ON_ERROR=warn. O(capacity). */
int hotlane_pool_may(hotlane_pool* pool, const void* p) HOTLANE_NOTHROW;

/* Whether get and put check the caller and the pointer. By default they do in builds without NDEBUG. */
#ifndef HOTLANE_POOL_CHECKS
#ifdef NDEBUG
#define HOTLANE_POOL_CHECKS 0
#else
#define HOTLANE_POOL_CHECKS 1
#endif
#endif

/* Whether another thread calls than the owner. Volatile: a coroutine may go on in another thread. */
HOTLANE_INLINE int hotlane_pool_is_foreign(const hotlane_pool* pool) {
#if defined(__x86_64__)
    int foreign;
    __asm__ __volatile__("cmpq %%fs:0, %1" : "=@ccne"(foreign) : "r"(pool->owner));
    return foreign;
#else
    return (uintptr_t)__builtin_thread_pointer() != pool->owner;
#endif
}

/** Returns an object, or null with errno ENOBUFS when the pool is exhausted and its flags allow no fallback
 * (ENOMEM: the fallback has no memory). The object contains what it held when it was put. O(1). Only the
 * pool's thread may call it, unless the pool is shared; other threads are refused as by hotlane_pool_put(). */
HOTLANE_INLINE void* hotlane_pool_get(hotlane_pool* pool) {
    void** top = __atomic_load_n(&pool->top, __ATOMIC_RELAXED);
    uint64_t countdown;
    void* object;
    if (HOTLANE_POOL_CHECKS && !hotlane_pool_may(pool, NULL)) {
        return NULL;
    }
    if (__builtin_expect(top <= __atomic_load_n(&pool->low, __ATOMIC_RELAXED), 0) ||
        __builtin_expect(hotlane_pool_is_foreign(pool), 0)) {
        return hotlane_pool_get_slow(pool);
    }
    /* The borrow of the subtraction is the test, so that it costs no instruction but the jump. */
    if (__builtin_expect(__builtin_sub_overflow(pool->countdown, (uint64_t)1, &countdown), 0)) {
        return hotlane_pool_get_slow(pool);
    }
    object = *--top;
    __atomic_store_n(&pool->countdown, countdown, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->top, top, __ATOMIC_RELAXED);
    return __builtin_assume_aligned(object, 64);
}

/** Puts an object back. Null does nothing. O(1). Only the pool's thread may call it; for a ring, one other
 * thread, too; for a shared pool, any. Every build refuses another thread, a pointer that is not of this pool,
 * and a put without a matching get. Debug builds also refuse a double put, and a pointer into the middle of
 * an object; with a shared pool every build does. A refused put writes one line to stderr and calls abort(),
 * unless HOTLANE_ON_ERROR=warn. */
HOTLANE_INLINE void hotlane_pool_put(hotlane_pool* pool, void* p) {
    void** top = __atomic_load_n(&pool->top, __ATOMIC_RELAXED);
    if (HOTLANE_POOL_CHECKS && !hotlane_pool_may(pool, p)) {
        return;
    }
    if (__builtin_expect((uintptr_t)p - pool->begin >= pool->extent || top == pool->full, 0) ||
        __builtin_expect(hotlane_pool_is_foreign(pool), 0)) {
        hotlane_pool_put_slow(pool, p);
        return;
    }
    *top = p;
    __atomic_store_n(&pool->top, top + 1, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif

#endif
