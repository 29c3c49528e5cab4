// SPDX-License-Identifier: MIT
//
// The call stacks that samples came from, each once, with what was sampled there.
// Knows nothing of how stacks are taken or of where objects lie.
// Used by profile, under its lock, and by the writer of dumps.
#pragma once

#include "profiler/growing_array.h"

namespace hotlane {

/// So many objects, already multiplied by what their samples stand for (sampler::kWeightShift).
struct Tally {
    uint64_t objects;
    uint64_t bytes;      // of their classes: the memory they take
    uint64_t requested;  // bytes
    uint64_t samples;    // as they were counted

    void add(uint64_t weight, size_t class_bytes, size_t requested_bytes) {
        objects += weight;
        bytes += weight * class_bytes;
        requested += weight * requested_bytes;
        ++samples;
    }
    void take(uint64_t weight, size_t class_bytes, size_t requested_bytes) {
        objects -= weight;
        bytes -= weight * class_bytes;
        requested -= weight * requested_bytes;
        --samples;
    }
    Tally& operator+=(const Tally& other) {
        objects += other.objects;
        bytes += other.bytes;
        requested += other.requested;
        samples += other.samples;
        return *this;
    }
};

/// A stack, and what was allocated under it.
struct Site {
    /// Lifetimes by the logarithm of their nanoseconds; the last counts everything above nine minutes.
    static constexpr size_t kLifetimes = 40;

    uint64_t hash;
    uint32_t next;  // with a hash of the same bucket
    uint32_t depth;
    size_t first_frame;
    Tally live;
    Tally total;
    Tally temporary;  // freed young
    Tally remote;     // freed by another thread than allocated them
    uint64_t lifetimes[kLifetimes];

    /// What another table counted under the same stack.
    void add(const Site& same) {
        live += same.live;
        total += same.total;
        temporary += same.temporary;
        remote += same.remote;
        for (size_t i = 0; i < kLifetimes; ++i) {
            lifetimes[i] += same.lifetimes[i];
        }
    }
};

using SiteNumber = uint32_t;  // from 1; 0 is none

/// Grows only: a site's number and its frames stay. Not thread-safe but for frames().
class StackTable {
  public:
    /// False: no addresses for it.
    bool set_up();
    /// After that: what addresses it did get go back.
    void give_up();
    /// The site of this stack, leaf first. 0 when the table is full or no memory is to be had. O(depth).
    SiteNumber find_or_add(const uintptr_t* frames, size_t depth);
    /// 0 when it has none; `hash` is that of a site with this stack. Not of a table that has no sites.
    /// O(depth).
    SiteNumber find(const uintptr_t* frames, size_t depth, uint64_t hash) const;
    Site& operator[](SiteNumber number) const { return sites_[number]; }
    /// Valid for as long as the process lives.
    const uintptr_t* frames(const Site& site) const { return &frames_[site.first_frame]; }
    /// Sites have the numbers 1 .. count().
    SiteNumber count() const { return count_; }
    size_t usable_bytes() const { return sites_.usable_bytes() + frames_.usable_bytes(); }

  private:
    static constexpr size_t kMostSites = 1 << 17;
    static constexpr size_t kLeastSites = 1 << 10;
    static constexpr size_t kMeanFrames = 32;
    static constexpr size_t kBuckets = 1 << 16;

    SiteNumber add(const uintptr_t* frames, size_t depth, uint64_t hash);

    GrowingArray<Site> sites_;
    GrowingArray<uintptr_t> frames_;
    SiteNumber count_ = 0;
    size_t frame_count_ = 0;
    GrowingArray<SiteNumber> buckets_;
};

}  // namespace hotlane
