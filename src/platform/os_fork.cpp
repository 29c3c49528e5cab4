// SPDX-License-Identifier: MIT
//
// The functions of os.h that only fork needs: signal masks, and libc's list of open files.
#include "base/errno_saver.h"
#include "platform/libc/own_functions.h"
#include "platform/os.h"

#include <csignal>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

// Functions of glibc that no header declares. Weak, because another libc does not have them.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
[[gnu::weak]] void _IO_list_lock();
[[gnu::weak]] void _IO_list_unlock();
[[gnu::weak]] void _IO_list_resetlock();
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace hotlane::os {

// Uses the kernel's form of a mask, one word. The signals 32 and 33 stay unblocked, as in libc, which uses
// them for pthread_cancel and setuid.
uint64_t block_signals() {
    ErrnoSaver keep;
    constexpr uint64_t kAllButLibcs = ~(uint64_t{3} << 31);
    uint64_t before = 0;
    libc::syscall(SYS_rt_sigprocmask, SIG_BLOCK, &kAllButLibcs, &before, sizeof before);
    return before;
}

void restore_signals(uint64_t mask) {
    ErrnoSaver keep;
    libc::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

bool has_threads() { return __libc_single_threaded == 0; }

void lock_open_files() {
    if (_IO_list_lock != nullptr) {
        _IO_list_lock();
    }
}

void unlock_open_files() {
    if (_IO_list_unlock != nullptr) {
        _IO_list_unlock();
    }
}

void reset_open_files() {
    if (_IO_list_resetlock != nullptr) {
        _IO_list_resetlock();
    }
}

}  // namespace hotlane::os
