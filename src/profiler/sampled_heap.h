// SPDX-License-Identifier: MIT
//
// The memory for sampled small objects, which lies outside the region, and a record of each sampled object.
//
//   | objects of class a | objects of class b | ...  never handed out |     records: one per 64 bytes of it
//
// The record of an object is found by its address. The fast path of free needs no extra check, because the
// pointer is not in the region. Sampled blocks of the fallback stay where they are; their records are in a
// hash table.
#pragma once

#include "base/newest_frees.h"
#include "page_heap/size_classes.h"
#include "platform/safe_read.h"
#include "profiler/growing_array.h"
#include "profiler/stack_table.h"

namespace hotlane {

/// A live sampled object. `site` is 0 in records at which no live object begins.
struct Sample {
    uint64_t born;     // ticks::now()
    uint64_t weight;   // fixed-point, see sampler::kWeightShift
    size_t bytes;      // size of its class, or usable bytes of a fallback block
    size_t requested;  // bytes requested
    uintptr_t thread;  // the thread that allocated it
    SiteNumber site;
    uint32_t next;  // the next free record of the class, or of the fallback blocks
};

/// Not thread-safe.
class SampleHeap {
  public:
    /// Returns false if there are no addresses.
    bool set_up();
    /// The same for a process with scarce addresses: reserves less, and leaves most of the addresses to the
    /// program.
    bool set_up_scarce();
    /// After a failed set-up: gives back the addresses that were reserved.
    void give_up();

    /// Takes an object of class `c`, aligned as objects in that class's spans are. Returns null if the heap
    /// is full. The object keeps its old contents. The caller fills `record`.
    void* take(ClassIndex c, Sample*& record);
    /// Adds a record for a block of the fallback. Returns null if there is no room.
    Sample* add_block(const void* p);
    /// The memory for objects of take().
    inspect::Extent extent() const {
        const uintptr_t begin = address_of(objects_.begin());
        return {.begin = begin, .end = begin + objects_.capacity() * kStep};
    }
    /// Whether `p` may be an object of take().
    bool contains(const void* p) const { return extent().contains(address_of(p)); }
    /// The record of a live object of take() or add_block() that begins at `p`; null if there is none.
    Sample* find(const void* p);
    /// The record of the live object of take() that `p` points into; null if there is none. Requires
    /// contains(p).
    const Sample* find_around(const void* p) const;
    /// Removes the record of a live object. The memory of an object of take() becomes free when it leaves the
    /// thread's list of newest frees.
    void put_back(const void* p);
    /// In a forked child: the newest frees of threads that the child does not have may be repeated.
    void expect_frees_again();
    /// Whether this is such a repeated free of an object of take(). If so, the object becomes free, and a
    /// further free is an error.
    bool forgive(const void* p);

    size_t usable_bytes() const;

  private:
    static constexpr uint32_t kExpectedAgain = UINT32_MAX;  // in `next`: a repeated free is allowed
    static constexpr size_t kStep = 64;                     // bytes between two possible object starts
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
    uint32_t fresh_[kMaxClasses] = {};      // index of the first object that was never handed out
    uint32_t fresh_end_[kMaxClasses] = {};  // end of the class's newest chunk
    NewestFrees newest_frees_;
    uint32_t block_count_ = 0;
    uint32_t free_block_ = 0;
    GrowingArray<uint32_t> buckets_;  // number of a block; 0: none
};

}  // namespace hotlane
