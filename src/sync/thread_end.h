// SPDX-License-Identifier: MIT
//
// What has to happen when a thread ends: a destructor of a pthread key that is certain to be called.
// Knows nothing of what is done at the end.
// Used by the thread caches and by the private jemalloc, which both keep pointers into thread-local storage.
#pragma once

#include "base/base.h"

namespace hotlane::thread_end {

// glibc calls the destructors of a thread's keys in up to four rounds, each in the order of the keys'
// numbers. A thread may allocate for the first time in such a destructor, in the last round too. A key with a
// lower number has had its turn by then, and is not called any more. So ours has a higher number than every
// other key: whichever destructor a thread allocates in, ours is called after it, in the same round.

/// Who has something to do when a thread ends, in the order in which they are called.
enum class Part : uint8_t { fallback, cache, count };

/// Creates the key of the process's first thread, whose thread-local storage never goes away. The one for all
/// other threads is created with the first of them: that takes the better part of a
/// millisecond.
void set_up();

/// What a part does at the end of a thread, with the argument that it gave to expect(). Before the first
/// expect().
void declare(Part part, void (*function)(void*));

/// The calling thread's end will call the part's function once, with `argument` (not null). False: it will
/// not. There are too many keys, there is no memory, or the end is here. May allocate, in a thread that is
/// not prepared.
[[nodiscard]] bool expect(Part part, void* argument);

/// What expect() may allocate is allocated now: before a lock is taken under which a part may expect the end.
/// False: that is being done just now, and what it allocates led here.
bool prepare();

/// Whether the calling thread is setting the key, or is at its end: what it allocates meanwhile is libc's own
/// or comes after everything else. Never allocates.
bool is_busy();

/// Whether it is certain that the calling thread's end is still to come. Never allocates.
bool is_to_come();

/// No key may be half created in the child.
void lock_for_fork();
void unlock_after_fork();

}  // namespace hotlane::thread_end
