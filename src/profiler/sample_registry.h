// SPDX-License-Identifier: MIT
//
// The allocation profile: which sampled objects live, and what was sampled under which stack.
// Knows nothing of the tiers that serve requests, nor of files.
// Called by allocator for what the sampler chose, and for pointers that are not in the region.
#pragma once

#include "profiler/sampled_heap.h"
#include "profiler/sampler.h"

namespace hotlane::profile {

/// An object freed sooner was temporary.
inline constexpr uint64_t kYoungNs = 1'000'000;

/// Whether any session was ever started: until then nothing below has anything to do. One load.
bool used();

/// Samples one byte in `period` from now on, on top of what was sampled before. Other threads than the
/// caller's join at their next slow path. False: no addresses for the tables. Not from inside malloc: call
/// backtrace::load() before.
bool start(uint64_t period);
/// Nothing is sampled from now on. What was keeps being followed.
void stop();

/// A sampled object of class `c` for a request of `n` bytes, outside the region; what is in it is whatever it
/// held before. Null: not to be had, or the request comes from inside the profiler. O(depth of the stack).
void* allocate(ClassIndex c, size_t n);
/// The same for a block of the fallback that was just allocated, or a guarded object, of `usable` bytes.
/// False: it is not followed.
bool track_sample(const void* p, size_t usable, size_t n);

/// Whether `p` lies where the objects of allocate() do, live or not. No lock.
bool contains(const void* p);
/// What a live object of allocate() can hold, bytes; 0 when `p` is none.
size_t usable_size(const void* p);
/// The size of the live object of allocate() that `p` points into; 0 when there is none. O(size).
size_t object_around(const void* p);
/// It stays where it is, and counts as a request of `n` bytes from now on.
void resize(const void* p, size_t n);
/// The object is gone; its memory, if it was of allocate(), is free. False when none lives at `p`.
bool release(const void* p);
/// Whether this free comes once more in a forked child, and is right there
/// (SampleHeap::expect_frees_again()).
bool forgive(const void* p);

struct Statistics {
    uint64_t samples;
    uint64_t lost_samples;  // no stack, no room for it, or for the object
    size_t memory_bytes;    // held for objects, their records and stacks
};
Statistics statistics();

/// Calls `visit` with a copy of each site that was ever sampled, its frames, and the context. The profile
/// goes on meanwhile.
void for_each_site(void (*visit)(const Site& site, const uintptr_t* frames, void* context), void* context);

/// Asks, from a signal handler, that `answer` be called on the next slow path of a request, where no lock is
/// held.
void set_answer(void (*answer)());
void call();
void answer_if_called();

/// Around fork(): no thread is inside, and the child's profile goes on from the parent's.
void lock_for_fork();
void unlock_after_fork();
/// The child has none of its parent's other threads. Before unlock_after_fork().
void forget_threads_in_child();

}  // namespace hotlane::profile
