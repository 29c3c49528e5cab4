// SPDX-License-Identifier: MIT
//
// The name of the calling thread, as the kernel knows it.
#pragma once

#include <sys/prctl.h>

namespace hotlane::os {

inline constexpr unsigned kThreadNameBytes = 16;  // with the terminating zero

/// Copies the name that pthread_setname_np() or prctl() gave the thread, or else the program's name, cut at 15 bytes.
/// Empty if the system refuses. Any byte may occur in it.
inline void thread_name(char (&out)[kThreadNameBytes]) {
    if (prctl(PR_GET_NAME, out) != 0) {
        out[0] = '\0';
    }
    out[kThreadNameBytes - 1] = '\0';
}

}  // namespace hotlane::os
