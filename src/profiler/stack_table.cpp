// SPDX-License-Identifier: MIT
//
// The table of stacks: a chained hash table in arrays that grow in place.
#include "profiler/stack_table.h"

#include <cstring>

namespace hotlane {

namespace {

uint64_t hash_of(const uintptr_t* frames, size_t depth, const SiteTags& tags) {
    uint64_t hash = depth ^ tags.object_size << 8 ^ uint64_t { tags.thread } << 48;
    for (size_t i = 0; i < depth; ++i) {
        hash = (hash ^ frames[i]) * 0x9FB21C651E98DF25;
        hash ^= hash >> 32;
    }
    return hash;
}

}  // namespace

bool StackTable::set_up() {
    return sites_.reserve(kMostSites, kLeastSites) &&
           frames_.reserve(sites_.capacity() * kMeanFrames, kLeastSites * kMeanFrames) &&
           buckets_.reserve(kBuckets, kBuckets) && buckets_.extend_to(kBuckets);
}

void StackTable::give_up() {
    sites_.unreserve();
    frames_.unreserve();
    buckets_.unreserve();
}

SiteNumber StackTable::find_or_add(const uintptr_t* frames, size_t depth, const SiteTags& tags) {
    const uint64_t hash = hash_of(frames, depth, tags);
    const SiteNumber number = find(frames, depth, tags, hash);
    return number != 0 ? number : add(frames, depth, tags, hash);
}

SiteNumber StackTable::find(const uintptr_t* frames, size_t depth, const SiteTags& tags,
                            uint64_t hash) const {
    for (SiteNumber number = buckets_[hash % kBuckets]; number != 0; number = sites_[number].next) {
        const Site& site = sites_[number];
        if (site.hash == hash && site.depth == depth && site.tags == tags &&
            memcmp(this->frames(site), frames, depth * sizeof *frames) == 0) {
            return number;
        }
    }
    return 0;
}

SiteNumber StackTable::add(const uintptr_t* frames, size_t depth, const SiteTags& tags, uint64_t hash) {
    const SiteNumber number = count_ + 1;
    if (!sites_.extend_to(number + size_t{1}) || !frames_.extend_to(frame_count_ + depth + 1)) {
        return 0;
    }
    Site& site = sites_[number];
    site.hash = hash;
    site.depth = static_cast<uint32_t>(depth);
    site.tags = tags;
    site.first_frame = frame_count_;
    memcpy(&frames_[frame_count_], frames, depth * sizeof *frames);
    frame_count_ += depth;
    site.next = buckets_[hash % kBuckets];
    buckets_[hash % kBuckets] = number;
    count_ = number;
    return number;
}

}  // namespace hotlane
