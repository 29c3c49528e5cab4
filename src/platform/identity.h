// SPDX-License-Identifier: MIT
//
// What the kernel calls the calling thread and its process's parent.
#pragma once

#include <sys/prctl.h>
#include <unistd.h>

namespace hotlane::os {

inline constexpr unsigned kThreadNameBytes = 16;  // with the terminating zero

/// Copies the name that pthread_setname_np() or prctl() gave the thread, or else the program's name, cut at 15
/// bytes. Empty if the system refuses. Any byte may occur in it.
inline void thread_name(char (&out)[kThreadNameBytes]) {
    if (prctl(PR_GET_NAME, out) != 0) {
        out[0] = '\0';
    }
    out[kThreadNameBytes - 1] = '\0';
}

/// The process that takes care of this one: the one that forked it, or after its end another. 0: it is in another
/// namespace.
inline int parent_id() { return getppid(); }

}  // namespace hotlane::os
