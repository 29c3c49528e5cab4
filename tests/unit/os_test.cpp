// SPDX-License-Identifier: MIT
//
// Tests what a fake system cannot show: that the functions of os.h really ask the kernel.
#include "platform/os.h"

#include <gtest/gtest.h>
#include <linux/membarrier.h>
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

}  // namespace
