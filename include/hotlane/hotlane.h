/* SPDX-License-Identifier: MIT
 *
 * hotlane's C interface, C99. A program that calls any of these functions must be linked with libhotlane.so
 * or libhotlane.a, which also serve its malloc. Preloading the library is not enough.
 *
 * Sizes are in bytes. Every function may be called from any thread at any time, unless its comment says
 * otherwise.
 */
#ifndef HOTLANE_HOTLANE_H
#define HOTLANE_HOTLANE_H

#include "hotlane/frame_reader.h"
#include "hotlane/no_allocation.h"
#include "hotlane/pool.h"
#include "hotlane/pool_set.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HOTLANE_VERSION_MAJOR 0
#define HOTLANE_VERSION_MINOR 1
#define HOTLANE_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library --------------------------------------------------------------------------------------- */

/** The version of the loaded library, "MAJOR.MINOR.PATCH". The macros give the version that the program was
 * compiled with. */
const char* hotlane_version(void) HOTLANE_NOTHROW;

/** Returns all free memory to the kernel at once: the caches of all threads, the depots, free pages, and
 * the free memory of the fallback allocator. Returns how many bytes of hotlane's own region went back (the
 * fallback does not report its share). Takes locks that allocations in other threads may have to wait for.
 * O(free memory). */
size_t hotlane_purge(void) HOTLANE_NOTHROW;

/** Moves the calling thread's free objects to the depots, where all threads find them. Meant for a thread
 * that is about to be idle for long. The thread's next requests refill its cache. O(free objects of the
 * thread). */
void hotlane_thread_flush(void) HOTLANE_NOTHROW;

/** Frees an object after overwriting all of it with zeros, up to its usable size, by stores that no
 * compiler removes. Meant for secrets. Null does nothing. A pointer that malloc did not return, or that is
 * not the start of an object, is reported as free() would report it, and nothing is written. errno does
 * not change. O(size). */
void hotlane_free_zeroed(void* p) HOTLANE_NOTHROW;

/* ---- buffers: objects of the allocator itself, each aligned to 64 bytes -------------------------------- */

/** Allocates at least `size` bytes at a multiple of 64, the way malloc does: from the calling thread's
 * cache, which keeps a LIFO of free objects for each size class (Bonwick & Adams 2001, "Magazines and
 * Vmem"). O(1) and without a lock on a hit. All bytes up to hotlane_capacity() may be read and written, so
 * SIMD code may go past `size` in steps of 64 bytes. The contents are undefined. Returns null with errno
 * ENOMEM when there is no memory. */
void* hotlane_get(size_t size) HOTLANE_NOTHROW __attribute__((malloc, assume_aligned(64)));
/** As hotlane_get(), but the first `size` bytes are zero. Pages that are fresh from the kernel are not cleared
 * again. O(size). */
void* hotlane_get_zeroed(size_t size) HOTLANE_NOTHROW __attribute__((malloc, assume_aligned(64)));
/** Frees an object of hotlane_get() or of malloc into the calling thread's cache, whichever thread
 * allocated it. Null does nothing. errno does not change. O(1). It does the same as free(); each accepts
 * the other's objects. */
void hotlane_put(void* p) HOTLANE_NOTHROW;
/** The same as hotlane_free_zeroed(), under a name that matches hotlane_put(). */
void hotlane_put_zeroed(void* p) HOTLANE_NOTHROW;
/** How many bytes of a live object may be used: the size of its class. 0 for null. O(1). */
size_t hotlane_capacity(const void* p) HOTLANE_NOTHROW;
/** As hotlane_get(), at a multiple of `alignment`. Needed only for alignments above 64. Returns null with
 * errno EINVAL when `alignment` is not a power of two. */
void* hotlane_get_aligned(size_t alignment, size_t size) HOTLANE_NOTHROW __attribute__((malloc));

/** Prepares `count` objects for requests of `size` bytes and touches their pages: up to 240 in the calling
 * thread's cache, the rest in the depot for any thread. Does not count as requests. Returns how many
 * objects are ready: fewer than `count` when memory ran out, 0 for sizes above 64 KiB. O(count), with page
 * faults. */
size_t hotlane_warmup(size_t size, size_t count) HOTLANE_NOTHROW;
/** The same for every thread that allocates for the first time from now on. Up to 16 sizes, those of
 * HOTLANE_WARMUP included. Returns 0, or -1 with errno EINVAL (the size is above 64 KiB) or ENOSPC
 * (16 are set already). */
int hotlane_warmup_threads(size_t size, size_t count) HOTLANE_NOTHROW;

/* ---- statistics ---------------------------------------------------------------------------------------- */

/** One size class. hits + misses = allocations. The counts are exact: each thread counts its own requests.
 * An object that a heap profile tracks is counted as a fallback allocation, not here. */
struct hotlane_class_statistics {
    uint64_t object_size;     /* bytes */
    uint64_t allocations;     /* requests */
    uint64_t frees;           /* objects freed */
    uint64_t hits;            /* requests served from the calling thread's cache */
    uint64_t misses;          /* requests that had to refill the cache first */
    uint64_t discards;        /* objects that left a cache: it was full or idle, or its thread ended */
    uint64_t live;            /* objects allocated and not freed, since the process started */
    uint64_t bytes_allocated; /* misses * object_size */
    uint64_t bytes_reused;    /* hits * object_size */
    double hit_rate;          /* hits / allocations; 1 when there were none */
    uint64_t bytes_fresh;     /* of objects whose memory had never been used when a cache got them */
    uint64_t bytes_recycled;  /* allocations * object_size - bytes_fresh: got memory used before */
};

/** All bounded pools of one name. */
struct hotlane_pool_statistics {
    char name[32];
    uint64_t object_size; /* bytes */
    uint64_t pools;       /* that exist now; capacity and in_use are of these */
    uint64_t capacity;    /* objects */
    uint64_t in_use;      /* objects handed out now */
    uint64_t peak;        /* most handed out at once since the last reset; for several pools an upper bound */
    uint64_t gets;        /* requests served from the pools' own objects */
    uint64_t puts;        /* objects put back */
    uint64_t exhausted;   /* requests that found no free object */
    uint64_t fallbacks;   /* of those, the requests that the allocator served */
    double utilisation;   /* in_use / capacity; 0 when the capacity is 0 */
    double hit_rate;      /* gets / (gets + exhausted); 1 when both are 0 */
    uint64_t saved_allocations; /* gets of an object that had been handed out before */
    uint64_t bytes_reused;      /* their bytes */
    uint64_t growths;           /* times that a pool got more objects */
    /* Since the process started: a reset of the statistics changes none of these. */
    uint64_t peak_capacity; /* most objects that the pools held at once */
    uint64_t demand;     /* most objects of one pool wanted at once: handed out, and not there when wanted */
    uint64_t bytes;      /* of the objects now, and of the memory that they own (hotlane_pool_own()) */
    uint64_t peak_bytes; /* most of these at once; for several pools an upper bound */
    uint64_t hold_samples; /* of timed pools: objects whose time between get and put was measured */
    uint64_t hold_p50_ns;  /* time that half of these were held at most; at most an eighth off */
    uint64_t hold_p99_ns;  /* time that 99 % of these were held at most */
    uint64_t hold_max_ns;  /* longest of these times; 10 s may stand for longer */
    uint64_t long_holds;   /* how many of these were held for more than 100 ms */
};

/** All arenas of one name (hotlane::arena) that are not part of a pool of arenas. Since the process started: a
 * reset of the statistics changes none of these. */
struct hotlane_arena_statistics {
    char name[32];
    uint64_t arenas;     /* that exist now */
    uint64_t created;    /* destroyed ones included */
    uint64_t bytes;      /* of the pages that they hold now */
    uint64_t peak_bytes; /* most of these at once */
    uint64_t largest;    /* most bytes that one of them held */
    uint64_t refused;    /* times one of them got no page: it was at its limit, or there was no memory */
};

struct hotlane_statistics {
    uint64_t allocations;          /* requests of all classes */
    uint64_t frees;                /* objects of all classes freed */
    uint64_t hits;                 /* allocations served from the calling thread's cache */
    uint64_t misses;               /* allocations that had to refill the cache first */
    uint64_t discards;             /* objects that left thread caches */
    uint64_t fallback_allocations; /* above 64 KiB, odd alignments, or over the limit */
    uint64_t fallback_frees;       /* objects of the fallback freed */
    uint64_t bytes_allocated;      /* sum over the classes */
    uint64_t bytes_reused;         /* sum over the classes */
    uint64_t live_bytes;           /* live objects of all classes, since the process started */
    uint64_t committed_bytes;      /* bytes in use, or free and not yet returned to the kernel */
    uint64_t threads;              /* threads that have a cache now */
    double hit_rate;               /* hits / allocations; 1 when there were none */
    double reuse_efficiency; /* bytes_reused / (bytes_reused + bytes_allocated); 1 when there were none */
    uint64_t bytes_fresh;    /* sum over the classes */
    uint64_t bytes_recycled; /* sum over the classes */
};

/** Fills the first `size` bytes of *out. `size` is sizeof *out as the program was compiled; later versions
 * append fields. Returns the size of the structure that this library knows. Counts start with the process
 * or at the last hotlane_stats_reset(). A count is exact while no other thread is inside an operation, and
 * is never off by more than the operations under way. Takes several locks one after the other, each
 * briefly. O(threads * classes). */
size_t hotlane_stats(struct hotlane_statistics* out, size_t size) HOTLANE_NOTHROW;
/** The same for the class that serves requests of `request` bytes. Above 64 KiB it returns 0 and leaves
 * *out unchanged. */
size_t hotlane_class_stats(size_t request, struct hotlane_class_statistics* out, size_t size) HOTLANE_NOTHROW;
/** The same for all pools of one name. Returns 0 when there never was one. */
size_t hotlane_pool_stats(const char* name, struct hotlane_pool_statistics* out, size_t size) HOTLANE_NOTHROW;
/** The same for all arenas of one name. Returns 0 when there never was one. */
size_t hotlane_arena_stats(const char* name, struct hotlane_arena_statistics* out,
                           size_t size) HOTLANE_NOTHROW;
/** Starts the counts of hotlane_stats(), hotlane_class_stats() and hotlane_pool_stats() anew. A pool's peak
 * restarts at what is handed out now. Values of the present (live, in_use, capacity, threads, bytes in memory)
 * do not change. The report at exit and HOTLANE_STATS_FILE keep counting from the start of the process.
 * O(threads * classes + pools). */
void hotlane_stats_reset(void) HOTLANE_NOTHROW;

enum hotlane_format { HOTLANE_TEXT, HOTLANE_JSON, HOTLANE_PROMETHEUS };

/** Writes all statistics since the start of the process to a file descriptor. Returns 0, or -1 when not all
 * could be written. */
int hotlane_stats_print(int fd, enum hotlane_format format) HOTLANE_NOTHROW;
/** Formats the same statistics into memory: at most `capacity` bytes, with a terminating zero. Returns the
 * length, or 0 and an empty string when they do not fit. 64 KiB is enough for all classes, 32 names of pools
 * and 16 of arenas. */
size_t hotlane_stats_format(char* out, size_t capacity, enum hotlane_format format) HOTLANE_NOTHROW;

/* What hotlane::arena, or an arena of another language, tells the statistics. */

/** An arena begins. Returns the number of its name, which the other functions take. `name` null: "unnamed"; the
 * first 31 bytes are copied. There are at most 14 names and "others". */
uint32_t hotlane_arena_begin(const char* name) HOTLANE_NOTHROW;
/** The arena took `bytes` of pages, or gave them back if it is negative, and holds `held` bytes now. O(1). */
void hotlane_arena_change(uint32_t number, ptrdiff_t bytes, size_t held) HOTLANE_NOTHROW;
/** The arena got no page: it is at its limit, or there is no memory. O(1). */
void hotlane_arena_refuse(uint32_t number) HOTLANE_NOTHROW;
/** The arena ends, and gives back the `bytes` that it held. O(1). */
void hotlane_arena_end(uint32_t number, size_t bytes) HOTLANE_NOTHROW;

/** The function that is called when the hit rate of an interval was below the threshold. It runs inside a
 * malloc or free of the thread that noticed, and no lock of the library is held. It may allocate and free,
 * read and reset statistics, set another alarm, and write to file descriptors. It must return (no
 * exception, no longjmp), and should be short.
 *
 * The rest of libc may be in the middle of something when it calls that malloc or free. The function must
 * therefore not create threads, load libraries, fork, or take a lock that the program holds while it
 * allocates (such as those of stdio, of locales and of the time zone). It can set a flag or write to a
 * pipe, and leave the work to others.
 *
 * Its own allocations do not call it again. Another thread may call it at the same time if it takes longer
 * than an interval. `worst` is the class with the most misses in the interval, with that interval's
 * counts. It is valid until the function returns. */
typedef void (*hotlane_alarm)(double hit_rate, const struct hotlane_class_statistics* worst, void* context);
/** Sets the alarm. Every eighth of HOTLANE_PURGE_DELAY (by default 8 times a second) the library checks the
 * requests since the last check. If there were at least `least_allocations` and the hit rate was less than
 * `below` (0 to 1), it calls `alarm`. There is one alarm at a time. Null removes it, but a call in another
 * thread may still be under way. A forked child keeps it. The check takes place inside requests; with
 * HOTLANE_BACKGROUND_THREAD=1 it also takes place while the program is idle. O(threads * classes). */
void hotlane_alarm_set(double below, uint64_t least_allocations, hotlane_alarm alarm,
                       void* context) HOTLANE_NOTHROW;

/* ---- heap profiles ------------------------------------------------------------------------------------- */

/** Starts to sample allocations, on average one in `sample_bytes` bytes, until hotlane_profile_stop(). The
 * value 1 samples every allocation; 0 stands for HOTLANE_SAMPLE_INTERVAL (by default 512 KiB). A second
 * call changes the interval and keeps what was sampled. It takes effect at once in the calling thread.
 * Other threads follow when they next refill or read the clock, after at most 1,024 requests of a class.
 * Loads libunwind.so.8, unless HOTLANE_UNWIND=fp. Returns 0, or -1 when there is no memory for the
 * profile. Must not be called from a signal handler. */
int hotlane_profile_start(size_t sample_bytes) HOTLANE_NOTHROW;
/** Stops sampling. Objects that were sampled before are tracked until they are freed. */
void hotlane_profile_stop(void) HOTLANE_NOTHROW;
/** Writes the profile to `path`, in which %p stands for the process id, %e for the program's name and %n
 * for the number of profiles written before. If `path` is null, it writes to the file that HOTLANE_PROFILE
 * names, or else to "hotlane.%p.%n.heap". The file appears as a whole or not at all. `hotlane report`,
 * pprof and jeprof can read it. Returns 0, or -1: there is no profile, another thread is writing one, or
 * the file cannot be written (reported on stderr). Allocates nothing. O(number of stacks). Other threads
 * continue meanwhile. */
int hotlane_profile_dump(const char* path) HOTLANE_NOTHROW;
/** Writes the same to a file descriptor: a pipe, a socket, a memfd. Returns 0, or -1 with errno set: ENODATA if
 * there is no profile, EBUSY if another thread is writing one, or the error of write(2). Then a part may have
 * been written. Continues after EINTR and short writes; EAGAIN of a non-blocking descriptor is an error. Causes
 * no SIGPIPE. */
int hotlane_profile_print(int fd) HOTLANE_NOTHROW;
/** The same as pprof's profile.proto, not compressed: what /debug/pprof/heap of a service answers. It has addresses
 * and the build-ids of the program and its libraries, but no symbols; pprof finds them in these files, Parca and
 * Pyroscope by the build-ids. Several threads may write at a time. Memory for a table of the addresses is
 * mapped meanwhile (ENOMEM). */
int hotlane_profile_pprof(int fd) HOTLANE_NOTHROW;

/** Takes `count` bytes, or returns something else than 0 to end the call early. */
typedef int (*hotlane_write)(void* context, const void* bytes, size_t count);
/** As hotlane_profile_pprof(), in pieces of at most 4 KiB for `write`, for example to append them to a string.
 * No lock of the library is held while `write` runs, so it may allocate, and take its time. Returns 0, or -1
 * with errno as `write` left it. */
int hotlane_profile_pprof_to(hotlane_write write, void* context) HOTLANE_NOTHROW;

#ifdef __cplusplus
}
#endif

#endif
