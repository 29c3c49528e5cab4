/* SPDX-License-Identifier: MIT
 *
 * Counts of the calling thread's requests, and scopes that prove that it makes none, C99. hotlane.h includes
 * this, and has the rules that hold for all functions.
 */
#ifndef HOTLANE_NO_ALLOCATION_H
#define HOTLANE_NO_ALLOCATION_H

#include <stdint.h>

#ifdef __cplusplus
#define HOTLANE_NOTHROW noexcept
extern "C" {
#else
#define HOTLANE_NOTHROW __attribute__((nothrow))
#endif

/** How many objects the calling thread has allocated and freed since it started: by malloc and its relatives,
 * new and delete, hotlane_get() and hotlane_put(), and whatever calls them, libc included. A realloc counts as
 * one allocation and one free, also if the object stays. A request that failed does not count, nor does a free
 * of null. Exact. May be called from a signal handler; a request that the handler interrupted may count
 * already. O(size classes). */
uint64_t hotlane_thread_allocations(void) HOTLANE_NOTHROW;
uint64_t hotlane_thread_frees(void) HOTLANE_NOTHROW;

/** A part of the program in which the calling thread should not allocate. The fields are set by
 * hotlane_no_allocation_end(); the others belong to the library. */
struct hotlane_no_allocation {
    uint64_t allocations; /* made inside the scope */
    uint64_t frees;
    uint64_t allocations_before;
    uint64_t frees_before;
    unsigned flags;
};
typedef struct hotlane_no_allocation hotlane_no_allocation;

#define HOTLANE_NO_ALLOCATION_COUNT 0U /* requests are counted */
#define HOTLANE_NO_ALLOCATION_ABORT 1U /* the first request ends the process */

/** Begins a scope. It ends on the same thread. Scopes may nest; each counts what happens in it.
 *
 * With HOTLANE_NO_ALLOCATION_COUNT, requests take no more time than elsewhere, and beginning and ending a scope
 * take O(size classes).
 *
 * With HOTLANE_NO_ALLOCATION_ABORT, the first request of the thread writes a line and the stack of its caller to
 * stderr and calls abort(), unless HOTLANE_ON_ERROR=warn. For this the scope begins with an empty cache: it
 * returns the thread's free objects to the depots, and the requests after the scope refill it. Meant for tests.
 * After a warning, the next requests of the same size may pass without one, and are counted. Not for signal
 * handlers. A forked child is in the scope, too. */
void hotlane_no_allocation_begin(hotlane_no_allocation* scope, unsigned flags) HOTLANE_NOTHROW;
/** Ends the scope and sets its counts. Returns 1 if the thread made no request inside it, 0 otherwise. */
int hotlane_no_allocation_end(hotlane_no_allocation* scope) HOTLANE_NOTHROW;

#ifdef __cplusplus
}
#endif

#endif
