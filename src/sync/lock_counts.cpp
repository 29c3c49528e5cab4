// SPDX-License-Identifier: MIT
//
// The counters of a build with the option lock_counts. They are written as JSON when the process ends, to the file that
// the environment variable LOCK_COUNTS_FILE names.
#include "sync/lock_counts.h"

#include "base/atomic_access.h"
#include "platform/os.h"
#include "sync/lock.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <x86intrin.h>

namespace hotlane::lock_counts {

namespace {

/// All but `lock` is only changed by the thread that holds the lock; a shared word's by atomic operations.
struct Counts {
    std::atomic<const void*> lock{nullptr};
    int rank = 0;
    uint64_t taken = 0;
    uint64_t waited = 0;
    uint64_t held_since = 0;
    uint64_t held_ticks = 0;
    uint64_t long_holds = 0;  // longer than kLongTicks; they are not in held_ticks
    uint64_t longest_ticks = 0;
    uint64_t lines = 0;
    uint64_t copied_lines = 0;
};

/// 20 to 80 µs: the thread did not run meanwhile, or the kernel served it.
constexpr uint64_t kLongTicks = 1 << 17;
constexpr size_t kMostLocks = size_t{1} << 15;
constinit Counts table[kMostLocks];
constinit std::atomic<uint64_t> prefetched{0};

/// Some lines, each of them once.
struct Lines {
    size_t count;
    uintptr_t lines[128];

    bool has(uintptr_t line) const { return std::find(lines, lines + count, line) != lines + count; }
    /// Returns false if the line was there already. What does not fit is forgotten.
    bool add(uintptr_t line) {
        if (has(line)) {
            return false;
        }
        if (count != std::size(lines)) {
            lines[count++] = line;
        }
        return true;
    }
};

/// A lock that the thread holds, and the first of the lines that were used meanwhile.
struct Hold {
    Counts* counts;
    Lines used;
};

/// The locks that the thread holds, the newest last. A fork holds more than fit; they are left out.
struct Held {
    Hold holds[16];
    size_t count;
    Lines prefetched;

    Hold* begin() { return holds; }
    Hold* end() { return holds + std::min(count, std::size(holds)); }
};
[[gnu::tls_model("initial-exec")]] constinit thread_local Held held = {};

/// How long it takes to enter and to leave a function that counts, which the function itself cannot see.
constinit uint64_t ticks_around = 0;

/// While it lives, the thread counts. This time is not part of the holds.
class Counting {
  public:
    Counting() = default;
    Counting(const Counting&) = delete;
    Counting& operator=(const Counting&) = delete;
    ~Counting() {
        const uint64_t ticks = __rdtsc() - begin_ + ticks_around;
        std::for_each(held.begin(), held.end(), [ticks](Hold& hold) { hold.counts->held_since += ticks; });
    }

    uint64_t begin() const { return begin_; }

  private:
    uint64_t begin_ = __rdtsc();
};

Counts& counts_of(const void* lock) {
    size_t at = (reinterpret_cast<uintptr_t>(lock) * 0x9E3779B97F4A7C15) >> 49;
    for (;; at = (at + 1) % kMostLocks) {
        const void* found = table[at].lock.load(std::memory_order_relaxed);
        if (found == lock || (found == nullptr && table[at].lock.compare_exchange_strong(found, lock)) ||
            found == lock) {
            return table[at];
        }
    }
}

double ns_per_tick() {
    const uint64_t begin_ns = os::monotonic_ns();
    const uint64_t begin = __rdtsc();
    usleep(20'000);
    return static_cast<double>(os::monotonic_ns() - begin_ns) / static_cast<double>(__rdtsc() - begin);
}

/// The least that an empty counting function takes, in the middle of many calls.
[[gnu::noinline]] uint64_t count_nothing() {
    const Counting counting;
    return counting.begin();
}
[[gnu::constructor]] void measure_counting() {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 1000; ++i) {
        const uint64_t begin = count_nothing();
        const uint64_t next = count_nothing();
        least = std::min(least, next - begin);
    }
    // Between the two readings of its clock, an empty function does next to nothing: one reading is all it sees.
    uint64_t least_inside = UINT64_MAX;
    for (int i = 0; i < 1000; ++i) {
        const uint64_t begin = __rdtsc();
        least_inside = std::min<uint64_t>(least_inside, __rdtsc() - begin);
    }
    ticks_around = least - std::min(least, least_inside);
}

[[gnu::destructor]] void write_counts() {
    const char* const path = getenv("LOCK_COUNTS_FILE");
    const int fd = path == nullptr ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    const double scale = ns_per_tick();
    dprintf(fd, "{\"prefetched\": %lu, \"locks\": [", prefetched.load());
    const char* separator = "";
    for (const Counts& one : table) {
        if (one.taken != 0) {
            dprintf(fd,
                    "%s\n{\"rank\": %d, \"taken\": %lu, \"waited\": %lu, \"held_ns\": %.0f, \"long_holds\": "
                    "%lu, \"longest_ns\": %.0f, "
                    "\"lines\": %lu, \"copied_lines\": %lu}",
                    separator, one.rank, one.taken, one.waited, static_cast<double>(one.held_ticks) * scale,
                    one.long_holds, static_cast<double>(one.longest_ticks) * scale, one.lines,
                    one.copied_lines);
            separator = ",";
        }
    }
    dprintf(fd, "]}\n");
    close(fd);
}

}  // namespace

void begin_hold(const void* lock, int rank, bool waited) {
    const Counting counting;
    Counts& counts = counts_of(lock);
    if (held.count < std::size(held.holds)) {
        held.holds[held.count].counts = &counts;
        held.holds[held.count].used.count = 0;
    }
    ++held.count;
    if (rank != static_cast<int>(LockRank::cache)) {
        note_line(lock);
    }
    counts.rank = rank;
    ++counts.taken;
    counts.waited += waited ? 1 : 0;
    counts.held_since = counting.begin();
}

void end_hold(const void* lock) {
    const Counting counting;
    Counts& counts = counts_of(lock);
    // The processor may read its clock a little early or late.
    const uint64_t ticks = counting.begin() - std::min(counts.held_since, counting.begin());
    (ticks > kLongTicks ? counts.long_holds : counts.held_ticks) += ticks > kLongTicks ? 1 : ticks;
    counts.longest_ticks = std::max(counts.longest_ticks, ticks);
    // Locks need not be released in the reverse order.
    const auto is_it = [&](const Hold& hold) { return hold.counts == &counts; };
    if (Hold* const found = std::find_if(held.begin(), held.end(), is_it); found != held.end()) {
        std::copy(found + 1, held.end(), found);
    }
    --held.count;
    held.prefetched.count = 0;
}

void note_line(const void* p) {
    const Counting counting;
    const uintptr_t line = reinterpret_cast<uintptr_t>(p) / 64;
    if (!held.prefetched.has(line)) {
        std::for_each(held.begin(), held.end(),
                      [line](Hold& hold) { hold.counts->lines += hold.used.add(line) ? 1 : 0; });
    }
}
void note_prefetch(const void* p) {
    const Counting counting;
    if (held.prefetched.add(reinterpret_cast<uintptr_t>(p) / 64)) {
        prefetched.fetch_add(1, std::memory_order_relaxed);
        std::for_each(held.begin(), held.end(), [](Hold& hold) { ++hold.counts->copied_lines; });
    }
}
void note_copy(size_t bytes) {
    const Counting counting;
    std::for_each(held.begin(), held.end(),
                  [bytes](Hold& hold) { hold.counts->copied_lines += (bytes + 63) / 64; });
}
void note_exchange(const void* p) {
    const Counting counting;
    Counts& counts = counts_of(p);
    store_relaxed(counts.rank, kSharedWord);
    __atomic_fetch_add(&counts.taken, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counts.lines, 1, __ATOMIC_RELAXED);
}

}  // namespace hotlane::lock_counts

// The linker sends jemalloc's calls here (-Wl,--wrap).
extern "C" {

int __real_private_jemalloc_pthread_mutex_lock(pthread_mutex_t* mutex);
int __real_private_jemalloc_pthread_mutex_trylock(pthread_mutex_t* mutex);
int __real_private_jemalloc_pthread_mutex_unlock(pthread_mutex_t* mutex);
int __wrap_private_jemalloc_pthread_mutex_lock(pthread_mutex_t* mutex);
int __wrap_private_jemalloc_pthread_mutex_trylock(pthread_mutex_t* mutex);
int __wrap_private_jemalloc_pthread_mutex_unlock(pthread_mutex_t* mutex);

/// jemalloc calls this only after a pthread_mutex_trylock() that failed.
int __wrap_private_jemalloc_pthread_mutex_lock(pthread_mutex_t* mutex) {
    const int error = __real_private_jemalloc_pthread_mutex_lock(mutex);
    hotlane::lock_counts::begin_hold(mutex, hotlane::lock_counts::kOfJemalloc, true);
    return error;
}

int __wrap_private_jemalloc_pthread_mutex_trylock(pthread_mutex_t* mutex) {
    const int error = __real_private_jemalloc_pthread_mutex_trylock(mutex);
    if (error == 0) {
        hotlane::lock_counts::begin_hold(mutex, hotlane::lock_counts::kOfJemalloc, false);
    }
    return error;
}

int __wrap_private_jemalloc_pthread_mutex_unlock(pthread_mutex_t* mutex) {
    hotlane::lock_counts::end_hold(mutex);
    return __real_private_jemalloc_pthread_mutex_unlock(mutex);
}
}
