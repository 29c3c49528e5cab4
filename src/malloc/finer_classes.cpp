// SPDX-License-Identifier: MIT
//
// Decides when a process changes to the finer size classes, and remembers when it did.
#include "malloc/finer_classes.h"

#include "depot/depot.h"
#include "lifecycle/startup.h"
#include "platform/os.h"

#include <algorithm>
#include <atomic>

namespace hotlane {

namespace {

/// The change comes when the objects of the first cache-line class hold more than this. A smaller program would save
/// little, and keeps its cache lines apart.
constexpr size_t kWorthwhileBytes = 4 * MiB;

constinit std::atomic<uint64_t> after_ns{0};

}  // namespace

void refine_classes_if_due() {
    const ClassIndex first = size_classes.smallest_class_for(SizeClasses::kCoarseStep);
    if (depots[first].taken_bytes() <= kWorthwhileBytes) {
        return;
    }
    // The time comes first. If the process forks in between, the child changes its classes at its next miss.
    uint64_t none = 0;
    after_ns.compare_exchange_strong(none, std::max<uint64_t>(os::monotonic_ns() - started_at_ns(), 1));
    size_classes.refine();
}

uint64_t finer_classes_after_ns() { return after_ns.load(std::memory_order_relaxed); }

}  // namespace hotlane
