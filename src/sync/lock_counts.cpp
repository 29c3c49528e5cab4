// SPDX-License-Identifier: MIT
//
// The counters of a build with the option lock_counts. They are written as JSON when the process ends, to the file that
// the environment variable LOCK_COUNTS_FILE names.
#include "sync/lock_counts.h"

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

/// All but `lock` is only changed by the thread that holds the lock.
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
constinit std::atomic<uint64_t> exchanges{0};

/// The locks that the thread holds, the newest last. A fork holds more than fit; they are left out.
struct Held {
    Counts* counts[16];
    size_t count;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local Held held = {};

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

void note(uint64_t Counts::*member, uint64_t n) {
    std::for_each_n(held.counts, std::min(held.count, std::size(held.counts)),
                    [&](Counts* counts) { counts->*member += n; });
}

double ns_per_tick() {
    const auto now = [] {
        timespec time = {};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
    };
    const double begin_ns = now();
    const uint64_t begin = __rdtsc();
    usleep(20'000);
    return (now() - begin_ns) / static_cast<double>(__rdtsc() - begin);
}

[[gnu::destructor]] void write_counts() {
    const char* const path = getenv("LOCK_COUNTS_FILE");
    const int fd = path == nullptr ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    const double scale = ns_per_tick();
    dprintf(fd, "{\"exchanges\": %lu, \"locks\": [", exchanges.load());
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
    Counts& counts = counts_of(lock);
    if (held.count < std::size(held.counts)) {
        held.counts[held.count] = &counts;
    }
    ++held.count;
    if (rank != static_cast<int>(LockRank::cache)) {
        note_lines(1);  // the lock itself
    }
    counts.rank = rank;
    ++counts.taken;
    counts.waited += waited ? 1 : 0;
    counts.held_since = __rdtsc();
}

void end_hold(const void* lock) {
    Counts& counts = counts_of(lock);
    const uint64_t ticks = __rdtsc() - counts.held_since;
    (ticks > kLongTicks ? counts.long_holds : counts.held_ticks) += ticks > kLongTicks ? 1 : ticks;
    counts.longest_ticks = std::max(counts.longest_ticks, ticks);
    // Locks need not be released in the reverse order.
    Counts** const end = held.counts + std::min(held.count, std::size(held.counts));
    if (Counts** const found = std::find(held.counts, end, &counts); found != end) {
        std::copy(found + 1, end, found);
    }
    --held.count;
}

void note_lines(size_t lines) { note(&Counts::lines, lines); }
void note_copy(size_t bytes) { note(&Counts::copied_lines, (bytes + 63) / 64); }
void note_exchange() { exchanges.fetch_add(1, std::memory_order_relaxed); }

}  // namespace hotlane::lock_counts

// The linker sends jemalloc's calls here (-Wl,--wrap).
extern "C" {

int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t* mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t* mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t* mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex);

/// jemalloc calls this only after a pthread_mutex_trylock() that failed.
int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
    const int error = __real_pthread_mutex_lock(mutex);
    hotlane::lock_counts::begin_hold(mutex, hotlane::lock_counts::kOfJemalloc, true);
    return error;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t* mutex) {
    const int error = __real_pthread_mutex_trylock(mutex);
    if (error == 0) {
        hotlane::lock_counts::begin_hold(mutex, hotlane::lock_counts::kOfJemalloc, false);
    }
    return error;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex) {
    hotlane::lock_counts::end_hold(mutex);
    return __real_pthread_mutex_unlock(mutex);
}
}
