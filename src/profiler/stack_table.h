// SPDX-License-Identifier: MIT
//
// The call stacks of samples, each stored once, with the counts of what was sampled there.
#pragma once

#include "profiler/growing_array.h"

namespace hotlane {

/// Counts of objects, each multiplied by the weight of its sample (sampler::kWeightShift).
struct Tally {
    uint64_t objects;
    uint64_t bytes;      // of their classes: the memory they take
    uint64_t requested;  // bytes requested
    uint64_t samples;    // not multiplied

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

/// What tells apart samples of one stack, if the options ask for it.
struct SiteTags {
    uint64_t object_size = 0;  // bytes; 0: any
    uint32_t thread = 0;       // number of the name (thread_names.h); 0: any
    bool operator==(const SiteTags&) const = default;
};

/// A stack and what was allocated under it.
struct Site {
    /// Lifetimes by the logarithm (base 2) of their nanoseconds. The last one counts all above nine minutes.
    static constexpr size_t kLifetimes = 40;

    uint64_t hash;
    uint32_t next;  // the next site in the same bucket
    uint32_t depth;
    size_t first_frame;
    SiteTags tags;
    Tally live;
    Tally peak;  // `live` at the peak of all sites together; valid if peak_epoch is the current epoch
    uint64_t peak_epoch;  // see high_water::epoch()
    Tally total;
    Tally temporary;  // freed young (kYoungNs)
    Tally remote;     // freed by a thread other than the one that allocated them
    uint64_t lifetimes[kLifetimes];

    /// Call it before `live` changes.
    void keep_peak(uint64_t epoch) {
        if (peak_epoch != epoch) {
            peak = live;  // they have not changed since the peak
            peak_epoch = epoch;
        }
    }
    /// Adds the counts that another table has for the same stack. Both have kept their peak.
    void add(const Site& same) {
        live += same.live;
        peak += same.peak;
        total += same.total;
        temporary += same.temporary;
        remote += same.remote;
        for (size_t i = 0; i < kLifetimes; ++i) {
            lifetimes[i] += same.lifetimes[i];
        }
    }
};

using SiteNumber = uint32_t;  // from 1; 0: none

/// Only grows: the number and the frames of a site never change. Not thread-safe, except frames().
class StackTable {
  public:
    /// Returns false if there are no addresses.
    bool set_up();
    /// After a failed set-up: gives back the addresses that were reserved.
    void give_up();
    /// The site of this stack, leaf first, and these tags. Returns 0 if the table is full or there is no memory.
    /// O(depth).
    SiteNumber find_or_add(const uintptr_t* frames, size_t depth, const SiteTags& tags = {});
    /// The site of this stack, or 0. `hash` is the hash of a site with this stack and these tags. Must not be called
    /// on a table without sites. O(depth).
    SiteNumber find(const uintptr_t* frames, size_t depth, const SiteTags& tags, uint64_t hash) const;
    Site& operator[](SiteNumber number) const { return sites_[number]; }
    /// Valid as long as the process lives.
    const uintptr_t* frames(const Site& site) const { return &frames_[site.first_frame]; }
    /// Sites are numbered 1 .. count().
    SiteNumber count() const { return count_; }
    size_t usable_bytes() const { return sites_.usable_bytes() + frames_.usable_bytes(); }

  private:
    static constexpr size_t kMostSites = 1 << 17;
    static constexpr size_t kLeastSites = 1 << 10;
    static constexpr size_t kMeanFrames = 32;
    static constexpr size_t kBuckets = 1 << 16;

    SiteNumber add(const uintptr_t* frames, size_t depth, const SiteTags& tags, uint64_t hash);

    GrowingArray<Site> sites_;
    GrowingArray<uintptr_t> frames_;
    SiteNumber count_ = 0;
    size_t frame_count_ = 0;
    GrowingArray<SiteNumber> buckets_;
};

}  // namespace hotlane
