// SPDX-License-Identifier: MIT
//
// The allocation profile: which sampled objects are alive, and what was sampled under which stack.
#pragma once

#include "profiler/sampled_heap.h"
#include "profiler/sampler.h"

namespace hotlane::profile {

/// An object that is freed sooner counts as temporary.
inline constexpr uint64_t kYoungNs = 1'000'000;

/// Whether a session was ever started. Until then the functions below have nothing to do. One load.
bool used();

/// Whether samples of one stack are counted apart by the size of their objects and by the names of their threads.
void set_tags(bool sizes, bool threads);
/// Starts to sample, on average one byte in `period`, and keeps what was sampled before. Threads other than
/// the caller's join at their next slow path. Returns false if there are no addresses for the tables. Must
/// not be called from inside malloc. Call backtrace::load() first.
bool start(uint64_t period);
/// Stops sampling. Objects that were sampled before are tracked until they are freed.
void stop();

/// Allocates a sampled object of class `c`, outside the region, for a request of `n` bytes. Its contents are
/// undefined. Returns null if there is none, or the request comes from inside the profiler. O(depth of the
/// stack).
void* allocate(ClassIndex c, size_t n);
/// Records a sample for a new block of the fallback, or for a guarded object, of `usable` bytes. Returns
/// false if it is not tracked.
bool track_sample(const void* p, size_t usable, size_t n);

/// Whether `p` lies in the memory for objects of allocate(), live or not. Takes no lock.
bool contains(const void* p);
/// The usable bytes of a live object of allocate(); 0 if `p` is not one.
size_t usable_size(const void* p);
/// The size of the live object of allocate() that `p` points into; 0 if there is none. O(size).
size_t object_around(const void* p);
/// The object counts as a request of `n` bytes from now on. It does not move.
void resize(const void* p, size_t n);
/// Ends the sample at `p`. If the object came from allocate(), its memory is free again. Returns false if no
/// live sample begins at `p`.
bool release(const void* p);
/// Whether this is a second free that is legitimate in a forked child (see SampleHeap::expect_frees_again()).
bool forgive(const void* p);

struct Statistics {
    uint64_t samples;
    uint64_t lost_samples;  // there was no stack, or no room for the stack or the object
    size_t memory_bytes;    // for objects, their records and stacks
};
Statistics statistics();

/// Calls `visit` with a copy of each site that was ever sampled, its frames, and `context`. The profile goes
/// on meanwhile.
void for_each_site(void (*visit)(const Site& site, const uintptr_t* frames, void* context), void* context);

/// The time of the peak of all live bytes, since the first start().
uint64_t peak_ns();
/// The time since the first start().
uint64_t elapsed_ns();

/// What is asked for: by the program's signal, or because a point of the timeline is due.
enum class Request : uint8_t { signal = 1, point = 2 };
/// call() may be called in a signal handler. It requests that `answer` be called on the next slow path of an
/// allocation, at a point where no lock is held. The profile itself calls it for points of the timeline.
void set_answer(void (*answer)(bool signal));
void call(Request request);
void answer_if_called();

/// For fork(): makes sure that no thread is inside the profile, so that the child's profile continues the
/// parent's.
void lock_for_fork();
void unlock_after_fork();
/// For the child, which has only the thread that forked. Before unlock_after_fork().
void forget_threads_in_child();

}  // namespace hotlane::profile
