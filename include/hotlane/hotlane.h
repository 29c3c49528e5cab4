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

#ifdef __cplusplus
}
#endif

#endif
