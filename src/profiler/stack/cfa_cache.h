// SPDX-License-Identifier: MIT
//
// Rules that lead from a frame to its caller's frame, learnt from the unwind tables once for each return
// address. Frames without a simple rule are left to libunwind.
#pragma once

#include "base/base.h"

namespace hotlane::frame_rules {

/// The registers of x86-64 that lead to a caller. `pc` is the return address: the instruction after the call.
struct Frame {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp;
};

/// The largest frame that is believed. If code does not keep frame pointers, the register can point anywhere.
inline constexpr size_t kLargestFrame = 1 * MiB;

/// The state of a walk from a frame outward.
struct Walk {
    Frame at;
    uintptr_t readable_end;  // the stack is readable from at.sp to here
    uintptr_t* frames;       // return addresses, the innermost first
    size_t capacity;
    size_t count;
    uintptr_t needed_end;  // set with Stop::beyond
    bool guessed;  // the frame's end is a guess: its code has no table, and may not keep frame pointers
};

enum class Stop : uint8_t {
    done,     // reached the outermost frame, or `capacity`
    unseen,   // call learn(walk.at.pc), and continue
    beyond,   // needs the stack up to walk.needed_end; set readable_end, and continue
    no_rule,  // a signal handler's frame, code that aligns its stack, or another stack
};

/// The type of the compiler's _Unwind_Find_FDE.
using FindTable = const void* (*)(const void* pc, void* bases);
/// Must be called before the first learn(). Null: no code has a rule.
void set_up(FindTable find_table);

/// Continues a walk. Any thread, no lock, 3 to 8 ns a frame.
Stop follow(Walk& walk);
/// Learns the rule for `pc`. Any thread. Calls the loader and the compiler's unwinder, which may lock and
/// allocate.
void learn(uintptr_t pc);
/// The same without locks and allocations, for code that the loader loaded. If a library was unloaded and
/// another now lies at its addresses, a rule may still be that of the old one.
void learn_without_locks(uintptr_t pc);

}  // namespace hotlane::frame_rules
