// SPDX-License-Identifier: MIT
//
// Tests what a fake system cannot show: that the functions of os.h really ask the kernel.
#include "platform/os.h"

#include <cstddef>
#include <ctime>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace hotlane;

TEST(Os, ABarrierIsTheKernelsWhichWantsItAnnounced) {
    const long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if (commands < 0 || (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) {
        GTEST_SKIP() << "this kernel has no such barrier";
    }
    EXPECT_FALSE(os::barrier_all_threads());
    os::announce_barriers();
    EXPECT_TRUE(os::barrier_all_threads());
}

/// Ends the process at each system call that waits or yields, except for futex. Returns whether that worked.
bool forbid_to_sleep() {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_nanosleep, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_nanosleep, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const sock_fprog program{std::size(rules), rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

constexpr int kSlept = 3;
constexpr int kNoFilters = 4;
constexpr int kTooShort = 5;

[[noreturn]] void sleep_in_a_sandbox() {
    if (!forbid_to_sleep()) {
        _exit(kNoFilters);
    }
    const uint64_t begin = os::monotonic_ns();
    os::sleep_ns(2'000'000);
    os::pause_briefly();
    _exit(os::monotonic_ns() - begin >= 2'020'000 ? kSlept : kTooShort);
}

TEST(Os, ASandboxThatAllowsFutexesLetsThreadsWait) {
    EXPECT_EXIT(
        sleep_in_a_sandbox(),
        [](int status) {
            return WIFEXITED(status) && (WEXITSTATUS(status) == kSlept || WEXITSTATUS(status) == kNoFilters);
        },
        "");
}

}  // namespace
