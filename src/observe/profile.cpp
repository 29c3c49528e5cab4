// SPDX-License-Identifier: MIT
//
// Samples come and go; their sites are counted.
// Knows nothing of the tiers that serve requests, nor of files.
// Called through profile.h.
//
// A stack is taken before the lock: the unwinder has locks of its own, and may allocate. What it allocates
// comes by here again and is turned away by the token, which every step needs and one thread can hold but
// once.
#include "observe/profile.h"

#include "base/lock.h"
#include "observe/backtrace.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace hotlane::profile {

namespace {

constinit Lock lock{LockRank::profile};
constinit std::atomic<bool> is_set_up{false};
constinit StackTable stacks;  // these, under `lock`
constinit SampleHeap heap;
constinit uint64_t sample_count = 0;
constinit std::atomic<uint64_t> lost{0};

constinit std::atomic<bool> called{false};
constinit std::atomic<void (*)()> answerer{nullptr};

[[gnu::tls_model("initial-exec")]] constinit thread_local bool inside = false;

/// Shows that this thread was not in the profiler already.
class Token {
  public:
    Token() : held_{!inside} { inside = true; }
    ~Token() { inside = !held_; }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    explicit operator bool() const { return held_; }

  private:
    bool held_;
};

uintptr_t this_thread() { return address_of(__builtin_thread_pointer()); }

struct Stack {
    uintptr_t frames[backtrace::kMostFrames];
    size_t depth;
};

void count_lost() { lost.fetch_add(1, std::memory_order_relaxed); }

/// False, and one sample lost, when there is none. Where every allocation is recorded, deep stacks cost the
/// most.
bool take_stack(const Token&, Stack& stack) {
    const size_t deepest = sampler::period() > 1 ? backtrace::kMostFrames : backtrace::kMostFrames / 2;
    stack.depth = backtrace::capture(stack.frames, deepest);
    if (stack.depth == 0) {
        count_lost();
    }
    return stack.depth != 0;
}

/// A sample of `n` bytes that take `bytes`. `take` gives the object and its record, under the lock; null when
/// there are none.
template <typename Take>
auto begin_sample(size_t bytes, size_t n, Take take) -> decltype(take(std::declval<Sample*&>())) {
    const Token token;
    Stack stack;
    if (!token || !take_stack(token, stack)) {
        return nullptr;
    }
    const uint64_t now = os::monotonic_ns();
    LockGuard guard(lock);
    const SiteNumber site = stacks.find_or_add(stack.frames, stack.depth);
    Sample* sample = nullptr;
    auto* object = site == 0 ? nullptr : take(sample);
    if (object == nullptr) {
        count_lost();
        return nullptr;
    }
    *sample = {.born_ns = now,
               .weight = sampler::weight(bytes),
               .bytes = bytes,
               .requested = n,
               .thread = this_thread(),
               .site = site,
               .next = 0};
    stacks[site].live.add(sample->weight, bytes, n);
    stacks[site].total.add(sample->weight, bytes, n);
    ++sample_count;
    return object;
}

/// Under the lock.
void end_sample(const Sample& sample, uint64_t now_ns) {
    Site& site = stacks[sample.site];
    site.live.take(sample.weight, sample.bytes, sample.requested);
    const uint64_t age = now_ns - sample.born_ns;
    const auto power = static_cast<size_t>(std::bit_width(age | 1) - 1);
    site.lifetimes[std::min(power, Site::kLifetimes - 1)] += sample.weight;
    if (age < kYoungNs) {
        site.temporary.add(sample.weight, sample.bytes, sample.requested);
    }
    if (sample.thread != this_thread()) {
        site.remote.add(sample.weight, sample.bytes, sample.requested);
    }
}

}  // namespace

bool used() { return is_set_up.load(std::memory_order_acquire); }

bool start(uint64_t period) {
    LockGuard guard(lock);
    if (!used()) {
        if (!stacks.set_up() || !heap.set_up()) {
            // The program needs what little there is.
            stacks.give_up();
            heap.give_up();
            return false;
        }
        is_set_up.store(true, std::memory_order_release);
    }
    sampler::start(std::max<uint64_t>(period, 1));
    return true;
}

void stop() {
    LockGuard guard(lock);
    sampler::stop();
}

void* allocate(ClassIndex c, size_t n) {
    return begin_sample(size_classes[c].object_size, n,
                        [c](Sample*& sample) { return heap.take(c, sample); });
}

bool follow(const void* p, size_t usable, size_t n) {
    return begin_sample(usable, n, [p](Sample*& sample) {
               sample = heap.add_block(p);
               return sample != nullptr ? p : nullptr;
           }) != nullptr;
}

bool contains(const void* p) { return used() && heap.contains(p); }

size_t usable_size(const void* p) {
    if (!contains(p)) {
        return 0;
    }
    LockGuard guard(lock);
    const Sample* sample = heap.find(p);
    return sample == nullptr ? 0 : sample->bytes;
}

size_t object_around(const void* p) {
    if (!contains(p)) {
        return 0;
    }
    LockGuard guard(lock);
    const Sample* sample = heap.find_around(p);
    return sample == nullptr ? 0 : sample->bytes;
}

void resize(const void* p, size_t n) {
    LockGuard guard(lock);
    if (Sample* sample = heap.find(p)) {
        Tally& live = stacks[sample->site].live;
        Tally& total = stacks[sample->site].total;
        live.requested += sample->weight * (n - sample->requested);  // modulo 2^64: may shrink
        total.requested += sample->weight * (n - sample->requested);
        sample->requested = n;
    }
}

bool release(const void* p) {
    if (!used()) {
        return false;
    }
    const uint64_t now = os::monotonic_ns();
    LockGuard guard(lock);
    const Sample* sample = heap.find(p);
    if (sample == nullptr) {
        return false;
    }
    end_sample(*sample, now);
    heap.put_back(p);
    return true;
}

Statistics statistics() {
    LockGuard guard(lock);
    return {.samples = sample_count,
            .lost_samples = lost.load(std::memory_order_relaxed),
            .memory_bytes = heap.usable_bytes() + stacks.usable_bytes()};
}

void for_each_site(void (*visit)(const Site& site, const uintptr_t* frames, void* context), void* context) {
    if (!used()) {
        return;
    }
    for (SiteNumber number = 1;; ++number) {
        Site site;
        {
            LockGuard guard(lock);
            if (number > stacks.count()) {
                return;
            }
            site = stacks[number];
        }
        visit(site, stacks.frames(site), context);
    }
}

void set_answer(void (*answer)()) { answerer.store(answer, std::memory_order_release); }

void call() { called.store(true, std::memory_order_release); }

void answer_if_called() {
    if (called.load(std::memory_order_relaxed)) [[unlikely]] {
        const Token token;
        if (token && called.exchange(false)) {
            answerer.load(std::memory_order_acquire)();
        }
    }
}

void lock_for_fork() {
    backtrace::before_fork();
    lock.lock();
}

void unlock_after_fork() {
    lock.unlock();
    backtrace::after_fork();
}

void forget_threads_in_child() { backtrace::forget_threads_in_child(); }

}  // namespace hotlane::profile
