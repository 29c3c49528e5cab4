// SPDX-License-Identifier: MIT
//
// The system that unit tests link instead of src/platform/os.cpp: real until it is told to refuse, or what
// time it is. Knows nothing of hotlane's tiers. Called by tests; every verb of os.h passes through it.
#pragma once

#include "base/base.h"

#include <vector>

namespace hotlane::fake_os {

enum class Call : uint8_t { reserve, commit, block, map, purge, count };

/// Everything real again: nothing refused, the clock the system's.
void reset();

/// How many calls of a kind there were since reset(); `any` counts them all together.
uint64_t calls(Call call);
uint64_t all_calls();

/// Refuses the n-th call from now on (1: the next), of one kind or of any; 0: none.
void fail_nth(Call call, uint64_t n);
void fail_nth_of_all(uint64_t n);
/// Refuses every call of a kind.
void fail_always(Call call, bool fail);
/// As vm.overcommit_memory=2: refuses what would make more than so many bytes usable.
void limit_memory(size_t bytes);
/// As RLIMIT_AS: refuses what would make more than so many bytes of addresses.
void limit_addresses(size_t bytes);
/// As an emulator that puts mappings where it likes: no address that is asked for is granted.
void ignore_places(bool ignore);
/// Addresses reserved and not given back, in bytes, since the process began.
size_t reserved_bytes();

/// Where every thread runs from now on; 0 after reset().
void run_on(unsigned processor);

/// From now on the clocks stand still, and move only by so much.
void stop_clock();
void advance_clock(uint64_t ns);

/// The barrier is refused, as by a kernel that has none.
void fail_barriers(bool fail);
/// Called instead of the barrier's return: between the two steps of taking from other threads' caches.
void after_barrier(void (*hook)());

struct PurgedRun {
    uintptr_t address;
    size_t bytes;
};
/// What was returned to the kernel since reset(), in order; refused calls are not in it.
std::vector<PurgedRun> purged_runs();

}  // namespace hotlane::fake_os
