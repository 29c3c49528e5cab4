// SPDX-License-Identifier: MIT
//
// Takes unused objects from the caches of threads that may be using them at this moment (reclaim_protocol.h).
#include "thread_cache/reclaim.h"

#include "depot/depot.h"
#include "thread_cache/reclaim_protocol.h"
#include "thread_cache/thread_registry.h"

#include <span>

namespace hotlane {

namespace {

/// The accessor of the protocol: reads words that the owner may be writing.
struct LaneOfOther {
    const ThreadBlock& block;
    ClassIndex c;

    // Pairs with the store of top in the owner's fast path (tls::store): whatever the owner wrote to a slot
    // before that store is visible to load_slot() after this load.
    void** load_top() const { return load_acquire(block.lane(c).top); }
    static void* load_slot(void** slot) { return load_relaxed(*slot); }
};

/// Records the state of a class. Returns whether the class was not used since the last call.
bool mark_use(ThreadBlock& block, ClassIndex c) {
    if (!block.has_record(c)) {
        return true;
    }
    ClassRecord& record = block.record(c);
    void** const top = block.top(c);
    const uint64_t countdown = load_relaxed(block.lane(c).countdown);
    const bool unused = top == record.top_at_pass && countdown == record.countdown_at_pass;
    record.top_at_pass = top;
    record.countdown_at_pass = countdown;
    return unused;
}

/// Step 1 of the protocol, before the barrier. Returns how many objects there are to take.
uint32_t begin_reclaim(ThreadBlock& block, ClassIndex c, bool everything) {
    const bool unused = mark_use(block, c);
    if (!block.is_set_up(c)) {
        return 0;
    }
    ClassRecord& record = block.record(c);
    void** const top = record.top_at_pass;
    if (record.pending_reclaim != nullptr || !(unused || everything) ||
        top + reclaim::kLeftInCache >= record.floor) {
        return 0;
    }
    record.pending_reclaim_slot = top + reclaim::kLeftInCache;
    // Pairs with the barrier that follows: a pop that begins after the barrier finds the slot empty.
    record.pending_reclaim = exchange_seq_cst(*record.pending_reclaim_slot, static_cast<void*>(nullptr));
    return record.pending_reclaim != nullptr
               ? static_cast<uint32_t>(record.floor - record.pending_reclaim_slot)
               : 0;
}

/// Step 3 of the protocol, after the barrier: moves everything from the new floor on to the depot, unless the
/// owner popped the object there.
void finish_reclaim(ThreadBlock& block, ClassIndex c) {
    ClassRecord& record = block.record(c);
    void** const new_floor = record.pending_reclaim_slot;
    switch (reclaim::judge(LaneOfOther{block, c}, new_floor)) {
    case reclaim::Verdict::popped:
        record.pending_reclaim = nullptr;
        return;
    case reclaim::Verdict::undecided:
        return;  // resolve_pending_reclaim() settles it, in the owner's next slow path
    case reclaim::Verdict::ours:
        break;
    }
    const auto behind = static_cast<uint32_t>(record.floor - new_floor - 1);
    depots[c].put_back_unused(new_floor + 1, behind, &block.spare);
    depots[c].put_back_unused(&record.pending_reclaim, 1);
    record.flushed += behind + 1;
    ++record.flushes;
    block.set_floor(c, new_floor);
    record.pending_reclaim = nullptr;
}

/// What a visit of a thread's cache did.
struct Visit {
    uint32_t objects = 0;  // to take
    uint32_t classes = 0;  // that were looked at
};

/// The caches of other threads between begin_reclaim() and finish_reclaim(). One barrier serves them all.
/// Their locks are held until both are done, so the batch is limited.
class ReclaimBatch {
  public:
    ~ReclaimBatch() { finish(); }
    ReclaimBatch() = default;
    ReclaimBatch(const ReclaimBatch&) = delete;
    ReclaimBatch& operator=(const ReclaimBatch&) = delete;

    Visit begin(ThreadBlock& block, bool everything) {
        block.lock.lock();
        uint64_t begun = 0;
        Visit visit{.classes = block.is_live ? block.window_count : 0U};
        for (ClassIndex c = 1; visit.classes != 0 && c < size_classes.count; ++c) {
            const uint32_t objects = begin_reclaim(block, c, everything);
            begun |= uint64_t{objects != 0} << c;
            visit.objects += objects;
        }
        if (begun == 0) {
            block.lock.unlock();
            return visit;
        }
        entries_[count_++] = {&block, begun};
        objects_ += visit.objects;
        if (count_ == kMost || objects_ >= kMostObjects) {
            finish();
        }
        return visit;
    }

  private:
    struct Entry {
        ThreadBlock* block;
        uint64_t begun;  // a bit for each class
    };
    static constexpr size_t kMost = 64;
    static constexpr uint32_t kMostObjects = 4096;

    void finish() {
        // If the kernel has no such barrier, everything begun stays undecided.
        const bool passed = count_ != 0 && os::barrier_all_threads();
        for (const Entry& entry : std::span(entries_, count_)) {
            for (ClassIndex c = 1; passed && c < size_classes.count; ++c) {
                if ((entry.begun >> c & 1) != 0) {
                    finish_reclaim(*entry.block, c);
                }
            }
            entry.block->lock.unlock();
        }
        count_ = 0;
        objects_ = 0;
    }

    Entry entries_[kMost];
    size_t count_ = 0;
    uint32_t objects_ = 0;
};

/// The calling thread is in its slow path, so none of its pops can be in progress. Its unused
/// classes are flushed completely.
Visit reclaim_own(ThreadBlock& block, bool everything) {
    LockGuard guard(block.lock);
    Visit visit{.classes = block.window_count};
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        if (mark_use(block, c) || everything) {
            visit.objects += block.level(c);
            block.flush_unused(c);
        }
    }
    return visit;
}

/// Where the last call ended. Under the lock of the maintenance.
constinit ThreadBlock* next_to_visit = nullptr;

}  // namespace

bool reclaim_caches(bool everything) {
    ReclaimBatch others;
    const auto visit = [&](ThreadBlock& block) {
        return &block == thread_cache.block ? reclaim_own(block, everything)
                                            : others.begin(block, everything);
    };
    if (everything) {
        for (ThreadBlock* block = thread_registry::first(); block != nullptr; block = block->next) {
            visit(*block);
        }
        return false;
    }
    if (next_to_visit == nullptr) {
        next_to_visit = thread_registry::first();
    }
    uint32_t moving = 0;
    uint32_t looking = 0;
    while (next_to_visit != nullptr && moving + looking < reclaim::kMostInCall) {
        const Visit visited = visit(*next_to_visit);
        moving += visited.objects;
        looking += (1 + visited.classes) * reclaim::kLook;
        next_to_visit = next_to_visit->next;
    }
    return next_to_visit != nullptr && moving > looking;
}

}  // namespace hotlane
