// SPDX-License-Identifier: MIT
//
// Takes the calling thread's stack as return addresses. It follows rules learnt from the unwind tables. If a
// frame has no simple rule, libunwind takes the stack instead, or frame pointers are followed. backtrace.cpp
// is the only file that names libunwind. The caller of capture() must not hold a lock of hotlane, because an
// unwinder takes its own locks and may allocate. capture_without_locks() may be called under locks.
#pragma once

#include "base/base.h"
#include "options/config.h"

namespace hotlane::backtrace {

/// The most frames of a stack. Deeper stacks lose their outermost frames.
inline constexpr size_t kMostFrames = 128;

/// A guard against reentry: true if this thread was not taking a stack already. What an unwinder allocates
/// would itself be sampled; the guard refuses that.
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

/// Loads the unwinder and makes its first call. Must not be called from inside malloc. Returns false if it
/// cannot be loaded; then frame pointers are followed instead.
bool load(Unwinder wanted);
/// The unwinder that load() chose.
Unwinder unwinder();

/// Writes at most `capacity` return addresses, the innermost first, without those in this library. If
/// libunwind is needed but the stack has too little room for it, frame pointers are followed. Returns the
/// number of addresses. It is 0 if the stack could not be read, or if a fork is under way and a frame has no
/// rule yet. 3 to 8 ns a frame.
size_t capture(uintptr_t* frames, size_t capacity);

/// The same as far as frame rules lead, without load(), a lock or an allocation. For guarded objects, and for
/// reports of misuse.
size_t capture_without_locks(uintptr_t* frames, size_t capacity);

/// Where a signal interrupted a thread: at the instruction `pc`.
struct Registers {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp;
};
/// The same, in a signal handler, for the code that the signal interrupted. The first address is `pc` + 1, so
/// that it points into the instruction like a return address into its call.
size_t capture_interrupted(const Registers& at, uintptr_t* frames, size_t capacity);

/// For fork(): makes sure that no thread is inside the unwinder, so that its locks are free in the child.
void before_fork();
void after_fork();
/// In the child: if the parent had other threads, stacks are taken by frame pointers from now on.
void forget_threads_in_child();

}  // namespace hotlane::backtrace
