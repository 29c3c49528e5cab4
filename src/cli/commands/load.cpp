// SPDX-License-Identifier: MIT
//
// Runs the load of `hotlane bench load` and measures it. Uses plain malloc and free.
#include "cli/commands/load.h"

#include "platform/time/fenced_tsc.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <new>
#include <thread>
#include <utility>

namespace hotlane::cli {

namespace {

/// One operation in this many is timed individually.
constexpr uint64_t kTimedOneIn = 64;
/// The number of timed operations between two checks of the stop flag.
constexpr uint64_t kTimedPerLook = 16;

uint64_t now_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

/// An xorshift generator: choosing the next size must cost less than the request.
class Dice {
  public:
    explicit Dice(uint64_t seed) : state_{seed * 0x9E3779B97F4A7C15 + 1} {}
    uint32_t below(size_t bound) {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return static_cast<uint32_t>((static_cast<uint64_t>(static_cast<uint32_t>(state_)) * bound) >> 32);
    }

  private:
    uint64_t state_;
};

struct Worker {
    Worker(uint64_t seed, size_t held) : dice{seed}, older(held - 1) {}

    /// Returns the buffer that is freed next, now that `newest` is held as well.
    char* oldest(char* newest) {
        if (older.empty()) {
            return newest;
        }
        next = (next + 1) % older.size();
        return std::exchange(older[next], newest);
    }

    Dice dice;
    std::vector<char*> older;  // the buffers held besides the newest, a ring; null at first
    size_t next = 0;
    uint64_t operations = 0;
    uint64_t processor_ns = 0;
    Histogram gets;
    Histogram puts;
};

char* get(size_t bytes) {
    auto* buffer = static_cast<char*>(malloc(bytes));
    if (buffer == nullptr) {
        throw std::bad_alloc{};
    }
    return buffer;
}

/// Writes eight bytes to one cache line per write, and starts again at the beginning of the buffer.
void write(char* buffer, size_t bytes, uint64_t writes) {
    size_t place = 0;
    for (uint64_t i = 0; i < writes; ++i) {
        *reinterpret_cast<volatile uint64_t*>(buffer + place) = i;
        place = place + 128 <= bytes ? place + 64 : 0;
    }
}

void operate(Worker& worker, const LoadOptions& options) {
    const size_t bytes = options.sizes[worker.dice.below(options.sizes.size())];
    char* buffer = get(bytes);
    write(buffer, bytes, options.writes);
    free(worker.oldest(buffer));
}

void operate_timed(Worker& worker, const LoadOptions& options) {
    const size_t bytes = options.sizes[worker.dice.below(options.sizes.size())];
    const uint64_t before_get = hotlane::ticks_before();
    char* buffer = get(bytes);
    worker.gets.add(hotlane::ticks_after() - before_get);
    write(buffer, bytes, options.writes);
    buffer = worker.oldest(buffer);
    const uint64_t before_put = hotlane::ticks_before();
    free(buffer);
    worker.puts.add(hotlane::ticks_after() - before_put);
}

void work(Worker& worker, const LoadOptions& options, const std::atomic<bool>& stop) {
    const uint64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
    while (!stop.load(std::memory_order_relaxed)) {
        for (uint64_t timed = 0; timed < kTimedPerLook; ++timed) {
            operate_timed(worker, options);
            for (uint64_t i = 1; i < kTimedOneIn; ++i) {
                operate(worker, options);
            }
        }
        worker.operations += kTimedPerLook * kTimedOneIn;
    }
    worker.processor_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    std::for_each(worker.older.begin(), worker.older.end(), free);
}

void measure_empty(Histogram& empty) {
    for (int i = 0; i < 100'000; ++i) {
        const uint64_t before = hotlane::ticks_before();
        empty.add(hotlane::ticks_after() - before);
    }
}

}  // namespace

void Histogram::add(uint64_t ticks) {
    ++counts_[std::min(ticks, kExact)];
    ++total_;
    greatest_ = std::max(greatest_, ticks);
}

void Histogram::add(const Histogram& other) {
    std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(), std::plus<>{});
    total_ += other.total_;
    greatest_ = std::max(greatest_, other.greatest_);
}

uint64_t Histogram::percentile(double share) const {
    const auto wanted = static_cast<uint64_t>(share * static_cast<double>(total_));
    uint64_t seen = 0;
    for (uint64_t ticks = 0; ticks < kExact; ++ticks) {
        seen += counts_[ticks];
        if (seen > wanted) {
            return ticks;
        }
    }
    return greatest_;
}

LoadResult run_load(const LoadOptions& options) {
    LoadResult result;
    measure_empty(result.empty);
    std::vector<Worker> workers;
    for (unsigned i = 0; i < options.workers; ++i) {
        workers.emplace_back(i + 1, options.held);
    }
    std::atomic<bool> stop = false;
    const uint64_t start = now_ns(CLOCK_MONOTONIC);
    const uint64_t first_tick = hotlane::ticks_before();
    std::vector<std::thread> threads;
    threads.reserve(workers.size());
    for (Worker& worker : workers) {
        threads.emplace_back([&worker, &options, &stop] { work(worker, options, stop); });
    }
    std::this_thread::sleep_for(std::chrono::nanoseconds{options.duration_ns});
    stop = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    result.wall_ns = now_ns(CLOCK_MONOTONIC) - start;
    result.ns_per_tick =
        static_cast<double>(result.wall_ns) / static_cast<double>(hotlane::ticks_after() - first_tick);
    for (const Worker& worker : workers) {
        result.operations += worker.operations;
        result.processor_ns += worker.processor_ns;
        result.gets.add(worker.gets);
        result.puts.add(worker.puts);
    }
    return result;
}

}  // namespace hotlane::cli
