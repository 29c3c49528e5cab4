// SPDX-License-Identifier: MIT
//
// The calling thread's stack, as return addresses: by rules learnt from the unwind tables, by libunwind where
// a frame has none, or by frame pointers. Knows nothing of what it is wanted for. backtrace.cpp is the only
// file that names libunwind. Called by profile, which holds no lock then: an unwinder takes its own, and may
// allocate. Called without locks by guard and call_stack.
#pragma once

#include "base/base.h"
#include "options/config.h"

namespace hotlane::backtrace {

/// No stack is taken deeper: what called it all is cut off.
inline constexpr size_t kMostFrames = 128;

/// Shows that this thread was not taking a stack already: what an unwinder allocates comes by those who take
/// stacks again, and is turned away.
class ReentrancyGuard {
  public:
    ReentrancyGuard() : held_{!inside} { inside = true; }
    ~ReentrancyGuard() { inside = !held_; }
    ReentrancyGuard(const ReentrancyGuard&) = delete;
    ReentrancyGuard& operator=(const ReentrancyGuard&) = delete;
    explicit operator bool() const { return held_; }

  private:
    [[gnu::tls_model("initial-exec")]] static constinit inline thread_local bool inside = false;

    bool held_;
};

/// Loads and warms up the unwinder; not from inside malloc. False: it is not to be had, and frame pointers
/// are followed instead.
bool load(Unwinder wanted);
/// What load() settled on.
Unwinder unwinder();

/// Writes at most `capacity` return addresses, the innermost first, those in our own library left out.
/// By frame pointers where libunwind is needed and a small stack has no room for it. Returns how many; 0 when
/// the stack could not be read, or a fork is under way and the code is not known yet. 3 to 8 ns a frame.
size_t capture(uintptr_t* frames, size_t capacity);

/// The same, as far as rules lead, without load(), a lock or an allocation: for guarded objects, and for
/// reports of mistakes.
size_t capture_without_locks(uintptr_t* frames, size_t capacity);

/// Where a thread was interrupted: by a signal, at the instruction `pc`.
struct Registers {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp;
};
/// The same, without locks, for the code that was interrupted, in the signal's handler. The first address is
/// that behind the first byte of the instruction, as if it were a call.
size_t capture_interrupted(const Registers& at, uintptr_t* frames, size_t capacity);

/// No thread is inside the unwinder while fork() runs: its locks are free in the child.
void before_fork();
void after_fork();
/// In the child of a process that had other threads, stacks are taken by frame pointers from now on.
void forget_threads_in_child();

}  // namespace hotlane::backtrace
