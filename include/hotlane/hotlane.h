/* SPDX-License-Identifier: MIT
 *
 * hotlane's C interface. C99. A program that calls any of it is linked with libhotlane.so or libhotlane.a,
 * which serve its malloc too; preloading the library alone does not bring these names into a program's link.
 *
 * Sizes are in bytes. Every function may be called from any thread at any time, unless it says otherwise.
 */
#ifndef HOTLANE_HOTLANE_H
#define HOTLANE_HOTLANE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HOTLANE_VERSION_MAJOR 0
#define HOTLANE_VERSION_MINOR 1
#define HOTLANE_VERSION_PATCH 0

#ifdef __cplusplus
#define HOTLANE_NOTHROW noexcept
extern "C" {
#else
#define HOTLANE_NOTHROW __attribute__((nothrow))
#endif

/* ---- the library --------------------------------------------------------------------------------------- */

/** The library's version, "MAJOR.MINOR.PATCH"; of what is loaded, where the macros are of what was compiled.
 */
const char* hotlane_version(void) HOTLANE_NOTHROW;

/** Gives everything that is free back to the kernel at once: caches of all threads, depots, free pages, and
 * the fallback's. Returns the bytes of the hot lane's region that went back (the fallback does not say).
 * Takes locks that allocation in other threads may wait for; O(free memory). */
size_t hotlane_purge(void) HOTLANE_NOTHROW;

/** Gives the calling thread's free objects to the depots, where all threads find them: for a thread that is
 * about to be idle for long. Its next requests refill. O(free objects of the thread). */
void hotlane_thread_flush(void) HOTLANE_NOTHROW;

/** free(), after the whole object was overwritten with zeros, up to its usable size, by stores that no
 * compiler removes: for secrets. Null is nothing. A pointer that malloc did not hand out, or not the start of
 * an object, is reported as free() would, and nothing is written. errno stays as it was. O(size). */
void hotlane_free_zeroed(void* p) HOTLANE_NOTHROW;

/* ---- buffers: the hot lane itself, every object 64-byte aligned ------------------------------------------
 */

/** At least `size` bytes at a multiple of 64, as malloc serves them: from the calling thread's LIFO of the
 * size's class (Bonwick & Adams 2001, "Magazines and Vmem"), O(1) without a lock on a hit. May be read and
 * written up to hotlane_capacity(), so in SIMD steps of 64 bytes past `size`. Contents undefined. Null with
 * errno ENOMEM when there is no memory. */
void* hotlane_get(size_t size) HOTLANE_NOTHROW __attribute__((malloc, assume_aligned(64)));
/** Puts an object of hotlane_get(), or of malloc, back on the calling thread's LIFO, whichever thread got it.
 *  Null is nothing. errno stays as it was. O(1). The same as free(), and either serves the other's objects.
 */
void hotlane_put(void* p) HOTLANE_NOTHROW;
/** hotlane_free_zeroed(), for symmetry. */
void hotlane_put_zeroed(void* p) HOTLANE_NOTHROW;
/** How many bytes of a live object may be used: its class's size. 0 for null. O(1). */
size_t hotlane_capacity(const void* p) HOTLANE_NOTHROW;
/** The same at a multiple of `alignment`, a power of two; null with EINVAL otherwise. For more than 64. */
void* hotlane_get_aligned(size_t alignment, size_t size) HOTLANE_NOTHROW __attribute__((malloc));

/** Has `count` objects for requests of `size` bytes ready, touched: up to 240 in the calling thread's LIFO,
 * the rest in the depot for any thread. Counts as no request. Returns how many are ready; fewer when memory
 * ran out, 0 for sizes above 64 KiB. O(count), with page faults. */
size_t hotlane_warmup(size_t size, size_t count) HOTLANE_NOTHROW;
/** The same for every thread that uses the hot lane for the first time from now on; up to 16 of these, with
 * those of HOTLANE_WARMUP. 0, or -1 with errno EINVAL (no size up to 64 KiB) or ENOSPC. */
int hotlane_warmup_threads(size_t size, size_t count) HOTLANE_NOTHROW;

/* ---- bounded pools ----------------------------------------------------------------------------------------
 */

/** `capacity` objects of one size, all taken when it is created, last in first out. A pool belongs to one
 * thread, the one that created it or last adopted it: get and put take no lock and are inlined, about ten
 * instructions. Statistics may be read from any thread. The fields are the library's own.
 *
 *    bottom                          top                       full
 *      | free | free | ... | next get |  (handed out)   ...      |
 *                 ^ low: the lowest `top` since the last reset of statistics, so that one comparison finds
 * both exhaustion and a new peak
 */
struct hotlane_pool {
    void** top;
    void** low;
    uint64_t gets;
    uintptr_t begin; /* the first object */
    size_t extent;   /* bytes of all objects; 0: every put is out of line */
    void** full;
    void** bottom;
    size_t object_size; /* bytes, a multiple of 64 */
};
typedef struct hotlane_pool hotlane_pool;

#define HOTLANE_POOL_FAIL 0U        /* exhausted: get returns null */
#define HOTLANE_POOL_FALLBACK 1U    /* exhausted: the allocator serves, and it is counted */
#define HOTLANE_POOL_TOUCH 2U       /* page faults happen at creation */
#define HOTLANE_POOL_ZERO_ON_PUT 4U /* objects are cleared when they come back, and at creation */

/** A pool of `capacity` objects of at least `size` bytes, each at a multiple of 64. `name` (null: "unnamed";
 * its first 31 bytes are copied) is what statistics call it: pools of one name are added up. `flags` as
 * above. Null with errno EINVAL (size or capacity 0, or too large to count) or ENOMEM. O(capacity). */
hotlane_pool* hotlane_pool_create(const char* name, size_t size, size_t capacity,
                                  unsigned flags) HOTLANE_NOTHROW;
/** Gives everything back. With objects outstanding it says how many on stderr, and the memory stays, so that
 * they remain valid. Null is nothing. Any thread, when no other uses the pool. */
void hotlane_pool_destroy(hotlane_pool* pool) HOTLANE_NOTHROW;
/** The calling thread owns the pool from now on. The caller sees to it that no other thread is inside. */
void hotlane_pool_adopt(hotlane_pool* pool) HOTLANE_NOTHROW;
/** Takes every object back at once, outstanding ones included (those of the fallback excepted): O(capacity).
 */
void hotlane_pool_reset(hotlane_pool* pool) HOTLANE_NOTHROW;

/* What the inlined halves call. */
void* hotlane_pool_get_slow(hotlane_pool* pool) HOTLANE_NOTHROW;
void hotlane_pool_put_slow(hotlane_pool* pool, void* p) HOTLANE_NOTHROW;
/* Whether the calling thread may get (p null) or put p: else says why on stderr, and aborts unless
 * HOTLANE_ON_ERROR=warn. O(capacity). */
int hotlane_pool_may(hotlane_pool* pool, const void* p) HOTLANE_NOTHROW;

/* Whether get and put check who calls: by default in builds without NDEBUG. */
#ifndef HOTLANE_POOL_CHECKS
#ifdef NDEBUG
#define HOTLANE_POOL_CHECKS 0
#else
#define HOTLANE_POOL_CHECKS 1
#endif
#endif

/** An object, or null when the pool is exhausted and may not fall back (or has no memory to). Contents as
 * they were put. O(1). The pool's thread only; in debug builds any other is refused. */
static inline __attribute__((always_inline)) void* hotlane_pool_get(hotlane_pool* pool) {
    void** top = __atomic_load_n(&pool->top, __ATOMIC_RELAXED);
    void* object;
    if (HOTLANE_POOL_CHECKS && !hotlane_pool_may(pool, NULL)) {
        return NULL;
    }
    if (__builtin_expect(top <= __atomic_load_n(&pool->low, __ATOMIC_RELAXED), 0)) {
        return hotlane_pool_get_slow(pool);
    }
    object = *--top;
    __atomic_store_n(&pool->gets, pool->gets + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->top, top, __ATOMIC_RELAXED);
    return __builtin_assume_aligned(object, 64);
}

/** Puts an object back. Null is nothing. O(1). The pool's thread only. A pointer that is not of this pool,
 * and one put more than there were gets, is refused in every build; another thread, a double put and a
 * pointer into the middle of an object in debug builds: one line on stderr, then abort(), unless
 * HOTLANE_ON_ERROR=warn. */
static inline __attribute__((always_inline)) void hotlane_pool_put(hotlane_pool* pool, void* p) {
    void** top = __atomic_load_n(&pool->top, __ATOMIC_RELAXED);
    if (HOTLANE_POOL_CHECKS && !hotlane_pool_may(pool, p)) {
        return;
    }
    if (__builtin_expect((uintptr_t)p - pool->begin >= pool->extent || top == pool->full, 0)) {
        hotlane_pool_put_slow(pool, p);
        return;
    }
    *top = p;
    __atomic_store_n(&pool->top, top + 1, __ATOMIC_RELAXED);
}

/* ---- statistics -------------------------------------------------------------------------------------------
 */

/** One size class. hits + misses = allocations. Exact: counted where it happens, by every thread for itself. An
 * object that a profile follows is not among them, but among the fallback allocations. */
struct hotlane_class_statistics {
    uint64_t object_size;     /* bytes */
    uint64_t allocations;     /* requests */
    uint64_t frees;           /* objects freed */
    uint64_t hits;            /* requests served from the calling thread's own LIFO */
    uint64_t misses;          /* requests that had to refill it first */
    uint64_t discards;        /* objects that a LIFO gave back: full, idle, or its thread ended */
    uint64_t live;            /* objects allocated and not freed, since the process started */
    uint64_t bytes_allocated; /* misses * object_size */
    uint64_t bytes_reused;    /* hits * object_size */
    double hit_rate;          /* hits / allocations; 1 when there were none */
};

/** All bounded pools of one name. */
struct hotlane_pool_statistics {
    char name[32];
    uint64_t object_size; /* bytes */
    uint64_t pools;       /* that exist now; capacity and in_use are theirs */
    uint64_t capacity;    /* objects */
    uint64_t in_use;      /* objects handed out now */
    uint64_t peak;        /* most handed out at once since the last reset; of several pools an upper bound */
    uint64_t gets;        /* requests served from the pools' own objects */
    uint64_t puts;        /* their objects put back */
    uint64_t exhausted;   /* requests that found none free */
    uint64_t fallbacks;   /* of those, served by the allocator */
    double utilisation;   /* in_use / capacity; 0 when there is none */
    double hit_rate;      /* gets / (gets + exhausted); 1 when there were none */
};

struct hotlane_statistics {
    uint64_t allocations; /* requests of all classes */
    uint64_t frees;       /* objects of all classes freed */
    uint64_t hits;        /* of allocations, from the calling thread's own LIFO */
    uint64_t misses;      /* of allocations, that had to refill it first */
    uint64_t discards;    /* objects that LIFOs gave back */
    uint64_t
        fallback_allocations; /* requests that went to the fallback: above 64 KiB, odd alignments, over the limit */
    uint64_t fallback_frees;  /* objects of the fallback freed */
    uint64_t bytes_allocated; /* sums over the classes */
    uint64_t bytes_reused;    /* the same */
    uint64_t live_bytes;      /* live objects of all classes, since the process started */
    uint64_t committed_bytes; /* memory of the hot lane that is in use, or free and not given back */
    uint64_t threads;         /* that have a LIFO now */
    double hit_rate;          /* hits / allocations; 1 when there were none */
    double reuse_efficiency;  /* bytes_reused / (bytes_reused + bytes_allocated); 1 when there were none */
};

/** Fills the first `size` bytes of *out (sizeof *out, as the program was compiled); returns how many bytes
 * this library knows. Later versions append. Counts begin with the process or the last hotlane_stats_reset();
 * each is exact when no other thread is inside an operation, and never off by more than the operations under
 * way. Takes one lock after the other, none for long; O(threads * classes). */
size_t hotlane_stats(struct hotlane_statistics* out, size_t size) HOTLANE_NOTHROW;
/** The same for the class that serves requests of `request` bytes; 0 and *out untouched above 64 KiB. */
size_t hotlane_class_stats(size_t request, struct hotlane_class_statistics* out, size_t size) HOTLANE_NOTHROW;
/** The same for the pools of a name; 0 when there never was one. */
size_t hotlane_pool_stats(const char* name, struct hotlane_pool_statistics* out, size_t size) HOTLANE_NOTHROW;
/** From now on the three above count anew, and a pool's peak begins with what is handed out now. What exists
 * now (live, in_use, capacity, threads, bytes in memory) is as it is. The report at exit and
 * HOTLANE_STATS_FILE go on from the start. O(threads * classes + pools). */
void hotlane_stats_reset(void) HOTLANE_NOTHROW;

enum hotlane_format { HOTLANE_TEXT, HOTLANE_JSON, HOTLANE_PROMETHEUS };

/** Writes all statistics since the process started to a descriptor. 0, or -1 when not all could be written.
 */
int hotlane_stats_print(int fd, enum hotlane_format format) HOTLANE_NOTHROW;
/** Formats them into memory: at most `capacity` bytes, with a terminating zero. Returns the length, or 0 and
 * an empty string when they do not fit; 64 KiB is enough for all classes and 32 names of pools. */
size_t hotlane_stats_format(char* out, size_t capacity, enum hotlane_format format) HOTLANE_NOTHROW;

/** Called when the hit rate of an interval was below the threshold, inside a malloc or free of whichever
 * thread noticed it, with no lock of the library held. It may allocate and free, read and reset statistics,
 * set another alarm, and write to descriptors; it must return (no exception, no longjmp), and should be
 * short. The rest of libc may be in the middle of that malloc or free: it must not create threads, load
 * libraries, fork, nor take a lock that the program holds while it allocates (those of stdio, of locales and
 * of the time zone among them); set a flag, or write to a pipe, and do the work elsewhere. What it allocates
 * itself does not call it again; another thread may, when it takes longer than an interval. `worst` is the
 * class with the most misses of the interval, whose counts (of the interval) it holds; valid until it
 * returns. */
typedef void (*hotlane_alarm)(double hit_rate, const struct hotlane_class_statistics* worst, void* context);
/** Looks at each eighth of HOTLANE_PURGE_DELAY (so 8 times a second) whether, of the requests since the last
 * look that had at least `least_allocations` of them, fewer than `below` (0 to 1) hit. One at a time: null takes it
 * away, though a call on another thread may still be under way then. In a forked child it stays set. Idle
 * programs are looked at with HOTLANE_BACKGROUND_THREAD=1. O(threads * classes). */
void hotlane_alarm_set(double below, uint64_t least_allocations, hotlane_alarm alarm,
                       void* context) HOTLANE_NOTHROW;

/* ---- profiles ---------------------------------------------------------------------------------------------
 */

/** Samples who allocates from now on, one sample in `sample_bytes` bytes in the mean (1: every allocation; 0:
 * as HOTLANE_SAMPLE_INTERVAL says, 512 KiB), until hotlane_profile_stop(). A second call changes the rate and keeps
 * what was sampled. Exact for the calling thread; others join when they next refill or look at the clock,
 * after at most 1,024 requests of a class. Loads libunwind.so.8 (HOTLANE_UNWIND=fp: nothing). 0, or -1 when
 * no memory is to be had for the profile. Not from a signal handler. */
int hotlane_profile_start(size_t sample_bytes) HOTLANE_NOTHROW;
/** Nothing more is sampled. Objects sampled before are followed on, until they are freed. */
void hotlane_profile_stop(void) HOTLANE_NOTHROW;
/** Writes the profile to `path`, in which %p stands for the process id, %e for the program's name and %n for
 * how many were written before; null: to the file that HOTLANE_PROFILE names, or "hotlane.%p.%n.heap". The
 * file appears as a whole or not at all. `hotlane report` reads it, so do pprof and jeprof. 0, or -1: there
 * is no profile, another thread is writing one, or (with a line on stderr) the file cannot be written.
 * Allocates nothing; O(number of stacks). Other threads go on meanwhile. */
int hotlane_profile_dump(const char* path) HOTLANE_NOTHROW;

#ifdef __cplusplus
}
#endif

#endif
