// SPDX-License-Identifier: MIT
//
// Reads every counter of the allocator into a snapshot.
#include "stats/snapshot.h"

#include "depot/depot.h"
#include "fallback/fallback.h"
#include "guards/guard.h"
#include "lifecycle/startup.h"
#include "malloc/allocator.h"
#include "malloc/finer_classes.h"
#include "stats/arena_registry.h"
#include "stats/pool_registry.h"
#include "sync/thread_end.h"
#include "thread_cache/thread_registry.h"

#include <cstring>
#include <type_traits>

namespace hotlane {

namespace {
constinit Snapshot shared;
constinit Lock shared_lock{LockRank::reports};
}  // namespace

void take_snapshot(Snapshot& snapshot) {
    ensure_started();
    snapshot.class_count = size_classes.count;
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        const DepotStats depot = depots[c].stats();
        ClassStats& stats = snapshot.classes[c];
        stats.object_size = size_classes[c].object_size;
        stats.spans = depot.spans;
        stats.depot_objects = depot.objects;
        stats.objects = depot.outside;
        stats.peak_objects = depot.peak_outside;
        stats.fresh_bytes = depot.fresh * stats.object_size;
    }
    thread_registry::add_to(snapshot);
    pools::add_to(snapshot);
    arenas::add_to(snapshot);
    snapshot.wrong_sized_deletes = count_of_wrong_sized_deletes();
    const guard::Statistics guards = guard::statistics();
    snapshot.guarded_live = guards.live;
    snapshot.guarded_in_quarantine = guards.quarantined;
    snapshot.guard_reports = guards.reports;
    const RegionStats stats = region.stats();
    snapshot.region_reserved_bytes = stats.reserved_bytes;
    snapshot.region_committed_bytes = stats.committed_bytes;
    snapshot.region_in_use_bytes = stats.in_use_bytes;
    snapshot.region_free_dirty_bytes = stats.free_dirty_bytes;
    snapshot.metadata_bytes = stats.metadata_bytes;
    snapshot.purges = stats.purges;
    snapshot.purged_bytes = stats.purged_bytes;
    const fallback::Statistics of_fallback = fallback::statistics();
    snapshot.fallback_bytes = of_fallback.allocated_bytes;
    snapshot.fallback_resident_bytes = of_fallback.resident_bytes;
    snapshot.peak_rss_bytes = os::peak_rss_bytes();
    snapshot.run_time_ns = os::monotonic_ns() - started_at_ns();
    snapshot.finer_classes_after_ns = finer_classes_after_ns();
    snapshot.process_id = os::process_id();
    os::program_name(snapshot.program, sizeof snapshot.program);
    snapshot.labels = config().labels;
}

SharedSnapshot::SharedSnapshot(Wait wait) : held_{true} {
    thread_end::prepare();  // jemalloc may register this thread when it is called under the lock
    if (wait == Wait::yes) {
        shared_lock.lock();
    } else if (!shared_lock.try_lock()) {
        held_ = false;
        return;
    }
    static_assert(std::is_trivially_copyable_v<Snapshot>);
    memset(static_cast<void*>(&shared), 0, sizeof shared);  // an assignment may copy from 13 KiB of stack
    take_snapshot(shared);
}

SharedSnapshot::~SharedSnapshot() {
    if (held_) {
        shared_lock.unlock();
    }
}

const Snapshot& SharedSnapshot::operator*() const { return shared; }

OwnSnapshot::OwnSnapshot() : own_{static_cast<Snapshot*>(os::map(sizeof(Snapshot)))} {
    if (own_ != nullptr) {
        take_snapshot(*own_);
    } else {
        shared_.emplace();
    }
}

OwnSnapshot::~OwnSnapshot() {
    if (own_ != nullptr) {
        os::unmap(own_, sizeof(Snapshot));
    }
}

void lock_snapshot_for_fork() { shared_lock.lock(); }

void unlock_snapshot_after_fork() { shared_lock.unlock(); }

}  // namespace hotlane
