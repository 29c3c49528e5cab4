// SPDX-License-Identifier: MIT
//
// A thread-local pool for a hot path: 16 buffers of 4 KiB, which are allocated and touched when the thread
// first needs one. After that the loop neither allocates nor enters the kernel. It runs in a sandbox in which
// every system call kills the process.
#include "expect.h"
#include "hotlane/hotlane.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

hotlane::buffer_pool& packets() {
    thread_local hotlane::buffer_pool pool{
        4096, 16, hotlane::on_exhausted::fallback, {.name = "packets", .touch = true}};
    return pool;
}

std::size_t handle(std::size_t length) {
    auto packet = packets().get(length);
    packet->span()[0] = std::byte{1};
    packet->span()[length - 1] = std::byte{2};
    return packet->size();
}

/// 100,000 packets, of which up to four are held at once.
std::size_t hot_loop() {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < 100'000; ++i) {
        auto held = packets().get();
        auto other = packets().get();
        bytes += handle(i % 4096 + 1) + held->size() + other->size();
    }
    return bytes;
}

void runs_without_system_calls() {
    const pid_t child = fork();
    if (child == 0) {
        const bool strict = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0;
        const std::size_t bytes = hot_loop();
        syscall(SYS_exit, !strict ? 2 : bytes != 0 ? 0 : 1);
    }
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

int main() {
    handle(1);
    hotlane_stats_reset();
    hot_loop();
    const auto pool = hotlane::pool_statistics("packets");
    const auto all = hotlane::statistics();
    EXPECT(pool.gets == 300'000 && pool.puts == pool.gets);
    EXPECT(pool.exhausted == 0 && pool.hit_rate > 0.95);
    EXPECT(pool.peak == 3 && pool.capacity == 16 && pool.in_use == 0);
    EXPECT(all.allocations == 0 && all.fallback_allocations == 0);  // malloc was never called
    runs_without_system_calls();

    hotlane::buffer burst[20];  // four more than there are; the allocator serves these
    for (hotlane::buffer& one : burst) {
        one = std::move(*packets().get());
    }
    EXPECT(hotlane::pool_statistics("packets").fallbacks == 4);
}
