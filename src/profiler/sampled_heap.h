// SPDX-License-Identifier: MIT
//
// Where sampled objects of the hot lane live, outside the region, and what is known of each sampled object.
// Knows nothing of stacks but their numbers.
// Used by profile, under its lock.
//
//   | objects of class a | objects of class b | ...  never handed out |     records: one per 64 bytes of it
//
// An object's record is found by its address, so the fast path of free has no question: its pointer is not in
// the region. Sampled blocks of the fallback stay where they are; their records are found by hashing.
#pragma once

#include "base/newest_frees.h"
#include "page_heap/size_classes.h"
#include "platform/safe_read.h"
#include "profiler/growing_array.h"
#include "profiler/stack_table.h"

namespace hotlane {

/// A live sampled object; `site` is 0 where none begins.
struct Sample {
    uint64_t born;     // ticks::now()
    uint64_t weight;   // sampler::kWeightShift
    size_t bytes;      // of its class, or usable in the fallback
    size_t requested;  // bytes
    uintptr_t thread;  // that allocated it
    SiteNumber site;
    uint32_t next;  // the next free record: of the class, or of the fallback's
};

/// Not thread-safe.
class SampleHeap {
  public:
    /// False: no addresses for it.
    bool set_up();
    /// The same where they are scarce: makes do with fewer, and leaves the program most of them.
    bool set_up_scarce();
    /// After that: what addresses it did get go back.
    void give_up();

    /// An object of class `c`, at a multiple of whatever that class's spans promise; null when the heap is
    /// full. What it held before is still there. `record` is the caller's to fill.
    void* take(ClassIndex c, Sample*& record);
    /// A record for a block of the fallback; null when there are too many.
    Sample* add_block(const void* p);
    /// Where the objects of take() lie.
    inspect::Extent extent() const {
        const uintptr_t begin = address_of(objects_.begin());
        return {.begin = begin, .end = begin + objects_.capacity() * kStep};
    }
    /// Whether it could be an object of take().
    bool contains(const void* p) const { return extent().contains(address_of(p)); }
    /// The record of a live object, of take() or add_block(). Null when none begins there.
    Sample* find(const void* p);
    /// The record of the live object of take() in which `p` lies, contains(p) given. Null when there is none.
    const Sample* find_around(const void* p) const;
    /// Forgets the record of a live object. One of take() is free again, once it is none of the newest that
    /// the thread freed.
    void put_back(const void* p);
    /// In a forked child: the newest frees of other threads, which it lost, may come once more.
    void expect_frees_again();
    /// Whether this is such a free of an object of take(). From now on it is none.
    bool forgive(const void* p);

    size_t usable_bytes() const;

  private:
    static constexpr uint32_t kExpectedAgain = UINT32_MAX;  // instead of a free record's successor
    static constexpr size_t kStep = 64;                     // bytes between two possible starts
    struct Granule {
        std::byte bytes[kStep];
    };
    struct Block {
        Sample sample;
        const void* start;
        uint32_t next;  // in its bucket
    };
    static constexpr size_t kMostObjects = 16 * GiB / kStep;
    static constexpr size_t kLeastObjects = 16 * MiB / kStep;
    static constexpr size_t kMostBlocks = 1 << 20;
    static constexpr size_t kBuckets = 1 << 14;
    static constexpr size_t kChunkBytes = 64 * KiB;

    uint32_t index_of(const void* p) const {
        return static_cast<uint32_t>((address_of(p) - address_of(objects_.begin())) / kStep);
    }
    bool reserve(size_t count);
    bool open_chunk(ClassIndex c, size_t slot_granules);
    void make_free(const void* p);
    uint32_t* link_to_block(const void* p);

    GrowingArray<Granule> objects_;
    GrowingArray<Sample> records_;
    GrowingArray<Block> blocks_;
    size_t frontier_ = 0;                   // granules that belong to a class
    uint32_t free_[kMaxClasses] = {};       // index of the newest free object, plus 1; 0: none
    uint32_t fresh_[kMaxClasses] = {};      // index of the first that was never handed out
    uint32_t fresh_end_[kMaxClasses] = {};  // of the class's newest chunk
    NewestFrees newest_frees_;
    uint32_t block_count_ = 0;
    uint32_t free_block_ = 0;
    GrowingArray<uint32_t> buckets_;  // number of a block; 0: none
};

}  // namespace hotlane
