// SPDX-License-Identifier: MIT
//
// How to get from a frame to its caller's: learnt from the unwind tables, once for each return address.
// Knows nothing of libunwind, nor of what a stack is wanted for.
// Used by backtrace, which asks libunwind where there is no simple rule.
#pragma once

#include "base/base.h"

namespace hotlane::frame_rules {

/// The registers of x86-64 that lead to a caller. `pc` is behind the call that is under way.
struct Frame {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp;
};

/// No frame is taken to be larger: a register that is no frame pointer leads anywhere.
inline constexpr size_t kLargestFrame = 1 * MiB;

/// A walk from a frame outward, and how far it came.
struct Walk {
    Frame at;
    uintptr_t readable_end;  // the stack can be read from at.sp to there
    uintptr_t* frames;       // return addresses, the innermost first
    size_t capacity;
    size_t count;
    uintptr_t needed_end;  // after Stop::beyond
    bool guessed;          // that the frame ends there: its code has no table, and may keep no frame pointer
};

enum class Stop : uint8_t {
    done,     // the outermost frame, or `capacity`
    unseen,   // learn(walk.at.pc), and go on
    beyond,   // needs the stack up to walk.needed_end; set readable_end, and go on
    no_rule,  // the frame of a signal handler, of code that aligns its stack, of another stack
};

/// The compiler's _Unwind_Find_FDE.
using FindTable = const void* (*)(const void* pc, void* bases);
/// Before the first learn(). Null: no code has a rule.
void set_up(FindTable find_table);

/// Goes on with a walk. Any thread, no lock, 3 to 8 ns a frame.
Stop follow(Walk& walk);
/// Any thread; asks the loader and the compiler's unwinder, which may lock and allocate.
void learn(uintptr_t pc);
/// The same without either, of code that the loader loaded. Where a library was unloaded and another took its
/// place, what was learnt may be the other's.
void learn_without_locks(uintptr_t pc);

}  // namespace hotlane::frame_rules
