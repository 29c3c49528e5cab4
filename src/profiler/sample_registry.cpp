// SPDX-License-Identifier: MIT
//
// Records samples and their ends, and counts them for their sites.
//
// The stack is taken before the lock is, because the unwinder has locks of its own and may allocate. Those
// allocations arrive here again. They are refused by the token (ReentrancyGuard), which every sample needs
// and a thread can hold only once. The profile is divided into shards, each with a lock. An object belongs to
// the shard of the thread that allocated it; a block of the fallback belongs to the shard that its address
// selects.
#include "profiler/sample_registry.h"

#include "platform/safe_read.h"
#include "platform/time/tsc.h"
#include "profiler/history/high_water.h"
#include "profiler/history/timeline.h"
#include "profiler/size_histogram.h"
#include "profiler/stack/backtrace.h"
#include "profiler/tags/thread_names.h"
#include "sync/lock.h"
#include "text/writer.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace hotlane::profile {

namespace {

/// Protected by its lock.
struct alignas(128) Shard {  // two cache lines: processors prefetch them in pairs
    Lock lock{LockRank::profile};
    StackTable stacks;
    SampleHeap heap;
    uint64_t sample_count = 0;
};

constexpr uint32_t kMostShards = 8;
constinit Shard shards[kMostShards];
constinit inspect::Extent objects_of[kMostShards];      // of the shards' heaps; any thread may read them
constinit std::atomic<uint32_t> shard_count{0};         // 0: never started
constinit std::atomic<uint32_t> threads_with_shard{0};  // they take the shards in turn
constinit std::atomic<uint64_t> lost{0};

constinit std::atomic<bool> tells_sizes{false};
constinit std::atomic<bool> tells_threads{false};

constinit std::atomic<uint64_t> first_start{0};  // ticks

HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<uint8_t> called{0};  // requests that are not answered yet
constinit std::atomic<void (*)(bool signal)> answerer{nullptr};

[[gnu::tls_model("initial-exec")]] constinit thread_local uint32_t own_shard = 0;  // its number, from 1

constexpr auto kRelaxed = std::memory_order_relaxed;

using backtrace::ReentrancyGuard;

uintptr_t this_thread() { return address_of(__builtin_thread_pointer()); }

struct Stack {
    uintptr_t frames[backtrace::kMostFrames];
    size_t depth;
};

Shard& shard_of_thread() {
    if (own_shard == 0) {
        own_shard = 1 + threads_with_shard.fetch_add(1, std::memory_order_relaxed) % shard_count.load();
    }
    return shards[own_shard - 1];
}

/// The shard whose heap contains `p`; null if none does.
Shard* shard_around(const void* p) {
    const uint32_t count = shard_count.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < count; ++i) {
        if (objects_of[i].contains(address_of(p))) {
            return &shards[i];
        }
    }
    return nullptr;
}

/// The shard that has the sample that begins at `p`.
Shard& shard_of(const void* p) {
    Shard* around = shard_around(p);
    return around != nullptr ? *around : shards[address_of(p) / kSmallestOsPage % shard_count.load()];
}

void count_lost() { lost.fetch_add(1, std::memory_order_relaxed); }

/// Returns false, and counts a lost sample, if no stack can be taken. If every allocation is sampled, only
/// half as many frames are taken, because deep stacks then cost the most.
bool take_stack(const ReentrancyGuard&, Stack& stack) {
    const size_t deepest = sampler::period() > 1 ? backtrace::kMostFrames : backtrace::kMostFrames / 2;
    stack.depth = backtrace::capture(stack.frames, deepest);
    if (stack.depth == 0) {
        count_lost();
    }
    return stack.depth != 0;
}

SiteTags tags_of(size_t bytes) {
    return {.object_size = tells_sizes.load(kRelaxed) ? bytes : 0,
            .thread = tells_threads.load(kRelaxed) ? thread_names::number_of_this_thread() : 0};
}

uint64_t since_first_start(uint64_t now) { return ticks::to_ns(now - first_start.load(kRelaxed)); }

/// Asks for a point of the timeline when it is time for one.
void note_time(uint64_t now) {
    if (timeline::is_due(since_first_start(now)) && called.load(kRelaxed) == 0) {
        call(Request::point);
    }
}

/// Starts a sample of `n` bytes requested, in an object of `bytes`. `take` is called under the lock and
/// returns the object and its record, or null.
template <typename Take>
auto begin_sample(Shard& shard, size_t bytes, size_t n, Take take)
    -> decltype(take(std::declval<Sample*&>())) {
    const ReentrancyGuard token;
    Stack stack;
    if (!token || !take_stack(token, stack)) {
        return nullptr;
    }
    const SiteTags tags = tags_of(bytes);
    const uint64_t now = ticks::now();
    LockGuard guard(shard.lock);
    const SiteNumber number = shard.stacks.find_or_add(stack.frames, stack.depth, tags);
    Sample* sample = nullptr;
    auto* object = number == 0 ? nullptr : take(sample);
    if (object == nullptr) {
        count_lost();
        return nullptr;
    }
    *sample = {.born = now,
               .weight = sampler::weight(bytes),
               .bytes = bytes,
               .requested = n,
               .thread = this_thread(),
               .site = number,
               .next = 0};
    Site& site = shard.stacks[number];
    site.keep_peak(high_water::epoch());
    site.live.add(sample->weight, bytes, n);
    site.total.add(sample->weight, bytes, n);
    high_water::add(sample->weight * bytes);
    ++shard.sample_count;
    size_histogram::add(n, sample->weight, ticks::to_ns(now));
    note_time(now);
    return object;
}

void end_sample(Site& site, const Sample& sample, uint64_t now) {
    high_water::settle(now);
    site.keep_peak(high_water::epoch());
    site.live.take(sample.weight, sample.bytes, sample.requested);
    high_water::take(sample.weight * sample.bytes);
    size_histogram::take(sample.requested, sample.weight);
    const uint64_t age = ticks::to_ns(now - sample.born);
    const auto power = static_cast<size_t>(std::bit_width(age | 1) - 1);
    site.lifetimes[std::min(power, Site::kLifetimes - 1)] += sample.weight;
    if (age < kYoungNs) {
        site.temporary.add(sample.weight, sample.bytes, sample.requested);
    }
    if (sample.thread != this_thread()) {
        site.remote.add(sample.weight, sample.bytes, sample.requested);
    }
    note_time(now);
}

/// Returns how many shards were set up: one if addresses are scarce, 0 if there are not enough even for one.
uint32_t set_up_shards() {
    const auto give_up = [](uint32_t count) {
        for (uint32_t i = 0; i < count; ++i) {
            shards[i].stacks.give_up();
            shards[i].heap.give_up();
        }
    };
    uint32_t count = 0;
    while (count < kMostShards && shards[count].stacks.set_up() && shards[count].heap.set_up()) {
        ++count;
    }
    if (count != kMostShards) {
        // The program needs what little there is.
        give_up(count + 1);
        count = shards[0].stacks.set_up() && shards[0].heap.set_up_scarce() ? 1 : 0;
    }
    if (count == 0) {
        give_up(1);
    }
    for (uint32_t i = 0; i < count; ++i) {
        objects_of[i] = shards[i].heap.extent();
    }
    return count;
}

Site copy_of(Shard& shard, SiteNumber number) {
    LockGuard guard(shard.lock);
    shard.stacks[number].keep_peak(high_water::epoch());
    return shard.stacks[number];
}

/// Adds to `site`, which is of the shard `first`, what the later shards have under the same stack. Returns
/// false if an earlier shard has this stack.
bool gather(Site& site, const uintptr_t* frames, uint32_t first, const SiteNumber (&counts)[kMostShards]) {
    for (uint32_t i = 0; i < kMostShards; ++i) {
        if (i == first || counts[i] == 0) {
            continue;
        }
        LockGuard guard(shards[i].lock);
        const SiteNumber same = shards[i].stacks.find(frames, site.depth, site.tags, site.hash);
        if (same == 0 || same > counts[i]) {
            continue;
        }
        if (i < first) {
            return false;
        }
        shards[i].stacks[same].keep_peak(high_water::epoch());
        site.add(shards[i].stacks[same]);
    }
    return true;
}

}  // namespace

bool used() { return shard_count.load(std::memory_order_acquire) != 0; }

void set_tags(bool sizes, bool threads) {
    tells_sizes.store(sizes, kRelaxed);
    tells_threads.store(threads, kRelaxed);
}

bool start(uint64_t period) {
    LockGuard guard(shards[0].lock);
    if (!used()) {
        ticks::set_up();
        first_start.store(ticks::now(), kRelaxed);
        const uint32_t count = set_up_shards();
        if (count == 0) {
            return false;
        }
        if (!size_histogram::set_up()) {
            message("no memory to count the sizes of requests: the profile has no \"# size:\" lines");
        }
        // Pairs with the acquire loads of shard_count: a thread that sees the count finds the shards set up.
        shard_count.store(count, std::memory_order_release);
    }
    size_histogram::begin_session(ticks::to_ns(ticks::now()));
    sampler::start(std::max<uint64_t>(period, 1));
    return true;
}

void stop() {
    LockGuard guard(shards[0].lock);
    sampler::stop();
}

void* allocate(ClassIndex c, size_t n) {
    Shard& shard = shard_of_thread();
    return begin_sample(shard, size_classes[c].object_size, n,
                        [&shard, c](Sample*& sample) { return shard.heap.take(c, sample); });
}

bool track_sample(const void* p, size_t usable, size_t n) {
    Shard& shard = shard_of(p);
    return begin_sample(shard, usable, n, [&shard, p](Sample*& sample) {
               sample = shard.heap.add_block(p);
               return sample != nullptr ? p : nullptr;
           }) != nullptr;
}

bool contains(const void* p) { return shard_around(p) != nullptr; }

size_t usable_size(const void* p) {
    Shard* shard = shard_around(p);
    if (shard == nullptr) {
        return 0;
    }
    LockGuard guard(shard->lock);
    const Sample* sample = shard->heap.find(p);
    return sample == nullptr ? 0 : sample->bytes;
}

size_t object_around(const void* p) {
    Shard* shard = shard_around(p);
    if (shard == nullptr) {
        return 0;
    }
    LockGuard guard(shard->lock);
    const Sample* sample = shard->heap.find_around(p);
    return sample == nullptr ? 0 : sample->bytes;
}

void resize(const void* p, size_t n) {
    Shard& shard = shard_of(p);
    LockGuard guard(shard.lock);
    if (Sample* sample = shard.heap.find(p)) {
        Site& site = shard.stacks[sample->site];
        site.keep_peak(high_water::epoch());
        site.live.requested += sample->weight * (n - sample->requested);  // modulo 2^64: may shrink
        site.total.requested += sample->weight * (n - sample->requested);
        size_histogram::take(sample->requested, sample->weight);
        size_histogram::add(n, sample->weight, ticks::to_ns(ticks::now()));
        sample->requested = n;
    }
}

bool release(const void* p) {
    if (!used()) {
        return false;
    }
    const uint64_t now = ticks::now();
    Shard& shard = shard_of(p);
    LockGuard guard(shard.lock);
    const Sample* sample = shard.heap.find(p);
    if (sample == nullptr) {
        return false;
    }
    end_sample(shard.stacks[sample->site], *sample, now);
    shard.heap.put_back(p);
    return true;
}

bool forgive(const void* p) {
    Shard* shard = shard_around(p);
    if (shard == nullptr) {
        return false;
    }
    LockGuard guard(shard->lock);
    return shard->heap.forgive(p);
}

Statistics statistics() {
    Statistics sum{.samples = 0, .lost_samples = lost.load(std::memory_order_relaxed), .memory_bytes = 0};
    for (Shard& shard : shards) {
        LockGuard guard(shard.lock);
        sum.samples += shard.sample_count;
        sum.memory_bytes += shard.heap.usable_bytes() + shard.stacks.usable_bytes();
    }
    return sum;
}

void for_each_site(void (*visit)(const Site& site, const uintptr_t* frames, void* context), void* context) {
    high_water::settle(ticks::now());
    SiteNumber counts[kMostShards] = {};
    for (uint32_t i = 0; i < kMostShards; ++i) {
        LockGuard guard(shards[i].lock);
        counts[i] = shards[i].stacks.count();
    }
    for (uint32_t i = 0; i < kMostShards; ++i) {
        for (SiteNumber number = 1; number <= counts[i]; ++number) {
            Site site = copy_of(shards[i], number);
            const uintptr_t* frames = shards[i].stacks.frames(site);
            if (gather(site, frames, i, counts)) {
                visit(site, frames, context);
            }
        }
    }
}

uint64_t peak_ns() { return since_first_start(high_water::at_ticks()); }
uint64_t elapsed_ns() { return since_first_start(ticks::now()); }

// Pairs with the acquire of answer_if_called().
void set_answer(void (*answer)(bool signal)) { answerer.store(answer, std::memory_order_release); }

// Pairs with the exchange of answer_if_called().
void call(Request request) { called.fetch_or(static_cast<uint8_t>(request), std::memory_order_release); }

HOTLANE_IN_EVERY_PROCESS void answer_if_called() {
    if (called.load(kRelaxed) != 0) [[unlikely]] {
        const ReentrancyGuard token;
        const uint8_t requests = token ? called.exchange(0) : 0;
        if (requests != 0) {
            answerer.load(std::memory_order_acquire)((requests & static_cast<uint8_t>(Request::signal)) != 0);
        }
    }
}

void lock_for_fork() {
    backtrace::before_fork();
    for (Shard& shard : shards) {
        shard.lock.lock();
    }
}

void unlock_after_fork() {
    for (Shard& shard : shards) {
        shard.lock.unlock();
    }
    backtrace::after_fork();
}

void forget_threads_in_child() {
    backtrace::forget_threads_in_child();
    for (Shard& shard : shards) {
        shard.heap.expect_frees_again();
    }
}

}  // namespace hotlane::profile
