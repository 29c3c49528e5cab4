// SPDX-License-Identifier: MIT
//
// Blocks the signals that writing may cause.
#pragma once

#include "base/errno_saver.h"
#include "platform/libc/own_functions.h"

#include <csignal>
#include <ctime>
#include <initializer_list>
#include <pthread.h>

namespace hotlane {

/// While this exists, SIGPIPE and SIGXFSZ are blocked; those that were caused meanwhile are discarded. A pipe
/// without a reader, or a limit on the size of files, must not kill the program or change its exit status.
class WriteSignalBlocker {
  public:
    WriteSignalBlocker() {
        sigset_t pending;
        libc::sigpending(&pending);
        sigemptyset(&ours_);
        sigset_t blocked;
        sigemptyset(&blocked);
        for (const int signal : {SIGPIPE, SIGXFSZ}) {
            sigaddset(&blocked, signal);
            if (sigismember(&pending, signal) == 0) {
                sigaddset(&ours_, signal);
            }
        }
        libc::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
    }
    ~WriteSignalBlocker() {
        ErrnoSaver keep;
        const timespec none{};
        while (libc::sigtimedwait(&ours_, nullptr, &none) > 0) {
        }
        libc::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    WriteSignalBlocker(const WriteSignalBlocker&) = delete;
    WriteSignalBlocker& operator=(const WriteSignalBlocker&) = delete;

  private:
    sigset_t ours_;  // the signals that were not pending before
    sigset_t before_;
};

}  // namespace hotlane
