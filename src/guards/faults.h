// SPDX-License-Identifier: MIT
//
// Accesses to inaccessible memory (SIGSEGV): who is asked first, and how the others still get theirs.
// Knows nothing of whose memory it is.
// Used by guard.
#pragma once

#include "base/base.h"

namespace hotlane::faults {

enum class Access : uint8_t { unknown, read, write, execute };

/// What the processor did when it faulted. Registers are 0 where this processor's are not known here.
struct Fault {
    uintptr_t address;
    Access access;
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp;
};

enum class Answer : uint8_t {
    pass_on,    // to the handler that was there before, or to the default: the process ends, with a core dump
    try_again,  // the instruction is executed once more
};

/// From now on `answer` is asked about each fault of the process, on the thread that caused it, in the signal
/// handler. Once. A handler that the program sets later comes first, and may pass on to ours. False: refused.
[[nodiscard]] bool set_up(Answer (*answer)(const Fault& fault));

}  // namespace hotlane::faults
