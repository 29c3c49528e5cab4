// SPDX-License-Identifier: MIT
//
// The heap of sampled objects: chunks of one class each, a free list for each class, and records beside the
// objects.
#include "profiler/sampled_heap.h"

#include <algorithm>

namespace hotlane {

bool SampleHeap::set_up() { return reserve(kMostObjects); }

bool SampleHeap::set_up_scarce() {
    // The program's large blocks need addresses, too. Use a quarter of what could be reserved.
    for (size_t count = kMostObjects / 2; count >= 4 * kLeastObjects; count /= 2) {
        if (reserve(count)) {
            give_up();
            return reserve(count / 4);
        }
    }
    return false;
}

bool SampleHeap::reserve(size_t count) {
    const size_t block_count = std::min(kMostBlocks, count / 64);
    const bool done = objects_.reserve(count, count) && records_.reserve(count, count) &&
                      blocks_.reserve(block_count, block_count) && buckets_.reserve(kBuckets, kBuckets) &&
                      buckets_.extend_to(kBuckets);
    if (!done) {
        give_up();
    }
    return done;
}

void SampleHeap::give_up() {
    objects_.unreserve();
    records_.unreserve();
    blocks_.unreserve();
    buckets_.unreserve();
}

/// The size of a chunk is a multiple of the page size, like a span's, so that its objects have the same
/// alignment.
bool SampleHeap::open_chunk(ClassIndex c, size_t slot_granules) {
    const size_t bytes = std::max(kChunkBytes, size_classes[c].span_pages * kRegionPageSize);
    const size_t granules = bytes / kStep;
    if (!objects_.extend_to(frontier_ + granules) || !records_.extend_to(frontier_ + granules)) {
        return false;
    }
    fresh_[c] = static_cast<uint32_t>(frontier_);
    fresh_end_[c] = static_cast<uint32_t>(frontier_ + granules / slot_granules * slot_granules);
    frontier_ += granules;
    return true;
}

void* SampleHeap::take(ClassIndex c, Sample*& record) {
    uint32_t index = 0;
    if (free_[c] != 0) {
        index = free_[c] - 1;
        free_[c] = records_[index].next;
    } else {
        const size_t slot_granules = divide_up(size_classes[c].object_size, kStep);
        if (fresh_[c] == fresh_end_[c] && !open_chunk(c, slot_granules)) {
            return nullptr;
        }
        index = fresh_[c];
        fresh_[c] += static_cast<uint32_t>(slot_granules);
    }
    record = &records_[index];
    return &objects_[index];
}

uint32_t* SampleHeap::link_to_block(const void* p) {
    uint32_t* link = &buckets_[address_of(p) / kSmallestOsPage * 0x9E3779B97F4A7C15 >> 50];
    static_assert(kBuckets == 1 << (64 - 50));
    while (*link != 0 && blocks_[*link].start != p) {
        link = &blocks_[*link].next;
    }
    return link;
}

Sample* SampleHeap::add_block(const void* p) {
    uint32_t number = free_block_;
    if (number != 0) {
        free_block_ = blocks_[number].next;
    } else {
        number = block_count_ + 1;
        if (!blocks_.extend_to(number + size_t{1})) {
            return nullptr;
        }
        block_count_ = number;
    }
    uint32_t* link = link_to_block(p);
    blocks_[number].start = p;
    blocks_[number].next = *link;
    *link = number;
    return &blocks_[number].sample;
}

Sample* SampleHeap::find(const void* p) {
    if (contains(p)) {
        const size_t index = index_of(p);
        const bool starts = index < frontier_ && address_of(p) % kStep == 0 && records_[index].site != 0;
        return starts ? &records_[index] : nullptr;
    }
    const uint32_t number = *link_to_block(p);
    return number == 0 ? nullptr : &blocks_[number].sample;
}

const Sample* SampleHeap::find_around(const void* p) const {
    const size_t last = index_of(p);
    for (size_t back = 0; back <= std::min(last, kLargestSmall / kStep) && last < frontier_; ++back) {
        const Sample& sample = records_[last - back];
        if (sample.site != 0) {
            return back * kStep < sample.bytes ? &sample : nullptr;
        }
    }
    return nullptr;
}

void SampleHeap::make_free(const void* p) {
    const uint32_t index = index_of(p);
    const ClassIndex c = size_classes.smallest_class_for(records_[index].bytes);
    records_[index].next = free_[c];
    free_[c] = index + 1;
}

void SampleHeap::put_back(const void* p) {
    if (contains(p)) {
        records_[index_of(p)].site = 0;
        records_[index_of(p)].next = 0;
        if (const void* oldest = newest_frees_.add(const_cast<void*>(p))) {
            make_free(oldest);
        }
        return;
    }
    uint32_t* link = link_to_block(p);
    const uint32_t number = *link;
    *link = blocks_[number].next;
    blocks_[number].next = free_block_;
    free_block_ = number;
}

void SampleHeap::expect_frees_again() {
    newest_frees_.take_others([this](const void* p) { records_[index_of(p)].next = kExpectedAgain; });
}

bool SampleHeap::forgive(const void* p) {
    const size_t index = contains(p) && address_of(p) % kStep == 0 ? index_of(p) : frontier_;
    if (index >= frontier_ || records_[index].site != 0 || records_[index].next != kExpectedAgain) {
        return false;
    }
    make_free(p);
    return true;
}

size_t SampleHeap::usable_bytes() const {
    return objects_.usable_bytes() + records_.usable_bytes() + blocks_.usable_bytes();
}

}  // namespace hotlane
