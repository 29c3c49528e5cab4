// SPDX-License-Identifier: MIT
//
// A profile of a process that runs already.
#pragma once

#include "cli/live/live_process.h"

#include <chrono>

namespace hotlane::cli {

/// Starts a profile, and stops it at the end of its life if the process lives. If the process had a profile
/// already, that one goes on.
class AttachedProfile {
  public:
    /// `sample_bytes`: mean bytes between samples; 0: as the options of the process say.
    AttachedProfile(const LiveDirectory& live, int64_t process, uint64_t sample_bytes);
    ~AttachedProfile();
    AttachedProfile(const AttachedProfile&) = delete;
    AttachedProfile& operator=(const AttachedProfile&) = delete;

    bool was_running() const { return !started_; }

  private:
    const LiveDirectory& live_;
    int64_t process_;
    bool started_ = false;
};

/// Returns a name PROGRAM.PID.N.heap that no file in the current directory has.
std::string free_dump_name(const Published& process);

/// Waits until the time is over, the process has ended, or SIGINT or SIGTERM comes. Returns false if the process
/// has ended.
bool wait_beside(const LiveDirectory& live, int64_t process, std::chrono::nanoseconds duration);

}  // namespace hotlane::cli
