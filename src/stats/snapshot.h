// SPDX-License-Identifier: MIT
//
// Every counter of every tier, read at one moment.
// Must not know how it is printed.
// Called by process at exit, by mallinfo and its kin, and by the C API.
#pragma once

#include "stats/stats.h"
#include "sync/lock.h"

namespace hotlane {

/// Any thread, any time; takes locks, one after the other. `snapshot` starts out empty.
void take_snapshot(Snapshot& snapshot);

/// A snapshot that takes no stack (16 KiB is allowed): one for all, held by one at a time.
class SharedSnapshot {
  public:
    enum class Wait : uint8_t { yes, no };
    /// Taken now. With Wait::no it may be somebody's, even the calling thread's: then it is false.
    explicit SharedSnapshot(Wait wait = Wait::yes);
    ~SharedSnapshot();
    SharedSnapshot(const SharedSnapshot&) = delete;
    SharedSnapshot& operator=(const SharedSnapshot&) = delete;

    explicit operator bool() const { return held_; }
    const Snapshot& operator*() const;
    const Snapshot* operator->() const { return &**this; }

  private:
    bool held_;
};

/// Held while fork() runs; before every other lock.
void lock_snapshot_for_fork();
void unlock_snapshot_after_fork();

}  // namespace hotlane
