// SPDX-License-Identifier: MIT
//
// Catches accesses to inaccessible memory (SIGSEGV), and passes on those that are not ours.
#pragma once

#include "base/base.h"

namespace hotlane::faults {

enum class Access : uint8_t { unknown, read, write, execute };

/// What the processor did when it faulted. The registers are 0 on processors that are not supported.
struct Fault {
    uintptr_t address;
    Access access;
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp;
};

enum class Answer : uint8_t {
    pass_on,    // to the previous handler, or to the default: the process ends with a core dump
    try_again,  // execute the instruction again
};

/// Installs the handler. From now on `answer` is called for each fault of the process, on the thread that
/// caused it, in the signal handler. Called once. A handler that the program sets later comes first, and may
/// pass faults on to ours. Returns false if the system refuses.
[[nodiscard]] bool set_up(Answer (*answer)(const Fault& fault));

}  // namespace hotlane::faults
