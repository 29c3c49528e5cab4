// SPDX-License-Identifier: MIT
//
// Reads every counter of the allocator into a snapshot.
#pragma once

#include "stats/stats.h"
#include "sync/lock.h"

#include <optional>

namespace hotlane {

/// Fills `snapshot`, which must be empty. Any thread, any time. Takes several locks, one after the other.
void take_snapshot(Snapshot& snapshot);

/// A snapshot in shared static memory, because it is too large for the stack (a thread may have 16 KiB). One
/// thread at a time can hold it.
class SharedSnapshot {
  public:
    enum class Wait : uint8_t { yes, no };
    /// Takes the snapshot. With Wait::no it is false if somebody, maybe the calling thread, holds the memory
    /// already.
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

/// A snapshot in memory of its own, for work that may take long, such as writing to a slow reader: nobody waits for
/// it. If there is no memory, it is the shared one.
class OwnSnapshot {
  public:
    OwnSnapshot();
    ~OwnSnapshot();
    OwnSnapshot(const OwnSnapshot&) = delete;
    OwnSnapshot& operator=(const OwnSnapshot&) = delete;

    const Snapshot& operator*() const { return own_ != nullptr ? *own_ : **shared_; }
    const Snapshot* operator->() const { return &**this; }

  private:
    Snapshot* own_;
    std::optional<SharedSnapshot> shared_;
};

/// The lock is held while fork() runs. It is taken before every other lock.
void lock_snapshot_for_fork();
void unlock_snapshot_after_fork();

}  // namespace hotlane
