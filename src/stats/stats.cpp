// SPDX-License-Identifier: MIT
//
// Sums and shares of the counters in a snapshot.
#include "stats/stats.h"

namespace hotlane {

namespace {

template <class Value>
uint64_t sum_over_classes(const Snapshot& snapshot, Value value) {
    uint64_t sum = 0;
    for (size_t i = 1; i < snapshot.class_count; ++i) {
        sum += value(snapshot.classes[i]);
    }
    return sum;
}

}  // namespace

uint64_t share_in_billionths(uint64_t part, uint64_t whole) {
    constexpr uint64_t kBillion = 1'000'000'000;
    __extension__ using Wide = unsigned __int128;
    return whole == 0 ? kBillion : static_cast<uint64_t>(static_cast<Wide>(part) * kBillion / whole);
}

ClassStats& operator+=(ClassStats& sum, const ClassStats& other) {
    sum.hits += other.hits;
    sum.misses += other.misses;
    sum.frees += other.frees;
    sum.refills += other.refills;
    sum.flushes += other.flushes;
    sum.discards += other.discards;
    sum.spans += other.spans;
    sum.depot_objects += other.depot_objects;
    sum.objects += other.objects;
    sum.peak_objects += other.peak_objects;
    sum.fresh_bytes += other.fresh_bytes;
    sum.swing = std::max(sum.swing, other.swing);
    return sum;
}

uint64_t Snapshot::hits() const {
    return sum_over_classes(*this, [](const ClassStats& c) { return c.hits; });
}

uint64_t Snapshot::misses() const {
    return sum_over_classes(*this, [](const ClassStats& c) { return c.misses; });
}

uint64_t Snapshot::frees() const {
    return sum_over_classes(*this, [](const ClassStats& c) { return c.frees; });
}

uint64_t Snapshot::live_bytes() const {
    return sum_over_classes(*this, [](const ClassStats& c) { return c.live() * c.object_size; });
}

uint64_t Snapshot::fresh_bytes() const {
    return sum_over_classes(*this, [](const ClassStats& c) { return c.fresh_bytes; });
}

uint64_t Snapshot::recycled_bytes() const {
    return sum_over_classes(*this, [](const ClassStats& c) { return c.recycled_bytes(); });
}

uint64_t Snapshot::fallback_count() const {
    uint64_t sum = 0;
    for (const FallbackStats& forward : fallback_allocations) {
        sum += forward.count;
    }
    return sum;
}

uint64_t Snapshot::fallback_request_bytes() const {
    uint64_t sum = 0;
    for (const FallbackStats& forward : fallback_allocations) {
        sum += forward.bytes;
    }
    return sum;
}

double Snapshot::hit_rate_percent() const {
    const uint64_t requests = allocations();
    return requests == 0 ? 100.0 : 100.0 * static_cast<double>(hits()) / static_cast<double>(requests);
}

}  // namespace hotlane
