// SPDX-License-Identifier: MIT
//
// Measures what services with message contracts use: a set of pools and a pool that grows beside one pool, pools of
// two threads beside a mutex around a pool, and the reader of frames beside malloc, read and copy with several mallocs. With
// --check, it fails if a target is missed by far. The ratios depend on the processor, and others use it, too.
#include "hotlane/hotlane.hpp"
#include "platform/time/fenced_tsc.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

void used(const void* p) { asm volatile("" : : "r"(p) : "memory"); }

int failures = 0;

void expect_at_most(const char* what, double value, double target, bool check) {
    std::printf("%-52s %8.2f   at most %.2f%s\n", what, value, target, value <= target ? "" : "   missed");
    failures += check && value > 1.5 * target ? 1 : 0;
}
void expect_at_least(const char* what, double value, double target, bool check) {
    std::printf("%-52s %8.2f   at least %.2f%s\n", what, value, target, value >= target ? "" : "   missed");
    failures += check && value < 0.5 * target ? 1 : 0;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// ---- a set -------------------------------------------------------------------------------------------------

/// Ticks of an operation: the best of many rounds, which other processes disturb least.
template <class Operation>
double best_ticks(double before, Operation operation) {
    constexpr int kOperations = 20'000;
    const std::uint64_t begin = hotlane::ticks_before();
    for (int i = 0; i < kOperations; ++i) {
        operation();
    }
    return std::min(before, static_cast<double>(hotlane::ticks_after() - begin) / kOperations);
}

constexpr std::array<hotlane::pool_class, 4> kClasses{
    {{128, 64, 0}, {256, 64, 0}, {512, 64, 0}, {4096, 16, 0}}};

void measure_set(bool check) {
    hotlane_pool* const pool = hotlane_pool_create("one", 256, 64, 0);
    const hotlane_pool_settings settings{"growing", 256, 64, 4096, 1.5, 0};
    hotlane_pool* const growing = hotlane_pool_create_with(&settings, sizeof settings);
    hotlane::pool_set set{"set", kClasses};
    hotlane_pool_set* const c_set = set.c_set();
    double one = 1e9;
    double of_growing = 1e9;
    double of_set = 1e9;
    double handles = 1e9;
    std::size_t size = 200;
    for (int round = 0; round < 100; ++round) {
        one = best_ticks(one, [=] {
            void* const p = hotlane_pool_get(pool);
            used(p);
            hotlane_pool_put(pool, p);
        });
        of_growing = best_ticks(of_growing, [=] {
            void* const p = hotlane_pool_get(growing);
            used(p);
            hotlane_pool_put(growing, p);
        });
        of_set = best_ticks(of_set, [&] {
            asm volatile("" : "+r"(size));  // the compiler does not know it
            void* const p = hotlane_pool_set_get(c_set, size);
            used(p);
            hotlane_pool_set_put(c_set, p);
        });
        handles = best_ticks(handles, [&] {
            asm volatile("" : "+r"(size));
            used(set.get(size)->data());
        });
    }
    std::printf("a pool's pair %.2f, a growing pool's %.2f, a set's %.2f, a set's buffer %.2f ticks\n", one,
                of_growing, of_set, handles);
    expect_at_most("a growing pool's pair over a pool's", of_growing / one, 1.1, check);
    expect_at_most("a set's pair over a pool's", of_set / one, 1.5, check);
    hotlane_pool_destroy(pool);
    hotlane_pool_destroy(growing);
}

// ---- two threads -------------------------------------------------------------------------------------------

double seconds_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

constexpr int kPairs = 3000;  // of get and put in a burst, in each of two threads

/// How often the kernel took the processor from this thread. A thread that sleeps gives it away.
long preemptions() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

/// A burst of one thread.
struct Burst {
    double begin = 0;
    double end = 0;
    bool was_preempted = false;

    template <class Pair>
    void run(std::atomic<int>& ready, Pair pair) {
        ++ready;
        while (ready < 2) {
        }
        const long before = preemptions();
        begin = seconds_of(CLOCK_MONOTONIC);
        for (int i = 0; i < kPairs; ++i) {
            pair();
        }
        end = seconds_of(CLOCK_MONOTONIC);
        was_preempted = preemptions() != before;
    }
};

/// Both threads of a burst.
struct TwoBursts {
    Burst one;
    Burst other;

    /// Nanoseconds of a pair, as long as the later thread took.
    double ns() const {
        return (std::max(one.end, other.end) - std::min(one.begin, other.begin)) / kPairs * 1e9;
    }
    /// Whether both threads had a processor from the same moment on.
    bool is_valid() const {
        return !one.was_preempted && !other.was_preempted &&
               std::abs(one.begin - other.begin) * 1e9 < 0.1 * ns() * kPairs;
    }
};

template <class Pair>
TwoBursts run_two(Pair pair) {
    TwoBursts both;
    std::atomic<int> ready{0};
    std::thread other([&] { both.other.run(ready, pair); });
    both.one.run(ready, pair);
    other.join();
    return both;
}

/// One thread alone: what growth costs a shared pool that does not grow now.
void measure_shared_growth(bool check) {
    const hotlane_pool_settings fixed_settings{"shared", 256, 64, 0, 0, HOTLANE_POOL_SHARED};
    const hotlane_pool_settings growing_settings{"shared", 256, 64, 4096, 1.5, HOTLANE_POOL_SHARED};
    hotlane_pool* const fixed = hotlane_pool_create_with(&fixed_settings, sizeof fixed_settings);
    hotlane_pool* const growing = hotlane_pool_create_with(&growing_settings, sizeof growing_settings);
    const auto pair_of = [](hotlane_pool* pool) {
        void* const p = hotlane_pool_get(pool);
        used(p);
        hotlane_pool_put(pool, p);
    };
    double of_fixed = 1e9;
    double of_growing = 1e9;
    for (int round = 0; round < 20; ++round) {
        of_fixed = best_ticks(of_fixed, [=] { pair_of(fixed); });
        of_growing = best_ticks(of_growing, [=] { pair_of(growing); });
    }
    std::printf("one thread: a shared pool's pair %.2f, a growing one's %.2f ticks\n", of_fixed, of_growing);
    expect_at_most("a growing shared pool's pair over a shared pool's", of_growing / of_fixed, 1.1, check);
    hotlane_pool_destroy(fixed);
    hotlane_pool_destroy(growing);
}

/// Times of two threads mean something only while both have a processor, so only such bursts count.
void measure_two_threads(bool check) {
    hotlane_pool* const shared = hotlane_pool_create("shared", 256, 64, HOTLANE_POOL_SHARED);
    std::vector<void*> slots(64);  // as in a plain pool, without its check of the thread
    for (void*& slot : slots) {
        slot = hotlane_pool_get(shared);
    }
    hotlane_pool_reset(shared);
    std::mutex mutex;
    const auto by_stack = [=] {
        void* const p = hotlane_pool_get(shared);
        used(p);
        hotlane_pool_put(shared, p);
    };
    const auto by_mutex = [&] {
        void* p = nullptr;
        {
            const std::lock_guard guard{mutex};
            p = slots.back();
            slots.pop_back();
        }
        used(p);
        const std::lock_guard guard{mutex};
        slots.push_back(p);
    };
    std::vector<double> stack_ns;
    std::vector<double> mutex_ns;
    // On a busy machine there may never be two free processors.
    const double give_up = seconds_of(CLOCK_MONOTONIC) + 8;
    while (std::min(stack_ns.size(), mutex_ns.size()) < 101 && seconds_of(CLOCK_MONOTONIC) < give_up) {
        if (const TwoBursts burst = run_two(by_stack); burst.is_valid()) {
            stack_ns.push_back(burst.ns());
        }
        if (const TwoBursts burst = run_two(by_mutex); burst.is_valid()) {
            mutex_ns.push_back(burst.ns());
        }
    }
    if (std::min(stack_ns.size(), mutex_ns.size()) < 11) {
        std::printf("two threads: no two processors were free\n");
    } else {
        std::printf("two threads, %zu bursts: a shared pool's pair %.1f ns, under a mutex %.1f ns\n",
                    stack_ns.size(), median(stack_ns), median(mutex_ns));
        expect_at_least("a mutex around a pool over a shared pool", median(mutex_ns) / median(stack_ns), 3.0,
                        check);
    }
    hotlane_pool_destroy(shared);
}

// ---- a reader and a worker -----------------------------------------------------------------------------------

/// Hands pointers from one thread to another, in order.
class Queue {
  public:
    void push(void* p) {
        std::atomic<void*>& slot = slots_[pushed_++ % kSlots];
        while (slot.load(std::memory_order_acquire) != nullptr) {
        }
        slot.store(p, std::memory_order_release);
    }
    void* pop() {
        std::atomic<void*>& slot = slots_[popped_++ % kSlots];
        void* p = nullptr;
        while ((p = slot.load(std::memory_order_acquire)) == nullptr) {
        }
        slot.store(nullptr, std::memory_order_release);
        return p;
    }

  private:
    static constexpr std::size_t kSlots = 64;
    std::array<std::atomic<void*>, kSlots> slots_{};
    alignas(64) std::size_t pushed_ = 0;
    alignas(64) std::size_t popped_ = 0;
};

/// This thread gets buffers and another one puts them back. Returns both bursts.
template <class Get, class Put>
TwoBursts pass(Get get, Put put) {
    Queue queue;
    TwoBursts both;
    std::atomic<int> ready{0};
    std::thread worker([&] { both.other.run(ready, [&] { put(queue.pop()); }); });
    both.one.run(ready, [&] { queue.push(get()); });
    worker.join();
    return both;
}

void measure_ring(bool check) {
    constexpr std::size_t kCapacity = 256;  // more than the queue holds
    hotlane_pool* const ring = hotlane_pool_create("ring", 256, kCapacity, HOTLANE_POOL_RING);
    std::vector<void*> slots(kCapacity);
    for (void*& slot : slots) {
        slot = hotlane_pool_get(ring);
    }
    hotlane_pool_reset(ring);
    std::mutex mutex;
    std::vector<double> ring_ns;
    std::vector<double> mutex_ns;
    const double give_up = seconds_of(CLOCK_MONOTONIC) + 4;
    while (std::min(ring_ns.size(), mutex_ns.size()) < 51 && seconds_of(CLOCK_MONOTONIC) < give_up) {
        const auto put_to_ring = [=](void* p) { hotlane_pool_put(ring, p); };
        if (const TwoBursts burst = pass([=] { return hotlane_pool_get(ring); }, put_to_ring);
            burst.is_valid()) {
            ring_ns.push_back(burst.ns());
        }
        const auto get = [&] {
            const std::lock_guard guard{mutex};
            void* const p = slots.back();
            slots.pop_back();
            return p;
        };
        const auto put = [&](void* p) {
            const std::lock_guard guard{mutex};
            slots.push_back(p);
        };
        if (const TwoBursts burst = pass(get, put); burst.is_valid()) {
            mutex_ns.push_back(burst.ns());
        }
    }
    if (std::min(ring_ns.size(), mutex_ns.size()) < 11) {
        std::printf("a reader and a worker: no two processors were free\n");
    } else {
        std::printf("a reader and a worker, %zu bursts: a buffer of a ring %.1f ns, under a mutex %.1f ns\n",
                    ring_ns.size(), median(ring_ns), median(mutex_ns));
        expect_at_least("a mutex around a pool over a ring", median(mutex_ns) / median(ring_ns), 1.75, check);
    }
    hotlane_pool_destroy(ring);
}

// ---- frames ------------------------------------------------------------------------------------------------

constexpr std::size_t kFrames = 256;
constexpr std::size_t kValue = 84;
constexpr std::size_t kHeader = 4;
constexpr hotlane::frame_header kFormat{kHeader, 0, 2, 2, 1, 0};
constexpr std::array<hotlane::message_row, 1> kMessages{{{"SwapEvent", 1, kValue, 128}}};

struct Malloc {
    const char* name;
    void* (*get)(std::size_t);
    void (*put)(void*);
};

void add_malloc(std::vector<Malloc>& all, const char* name, const char* file) {
    void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void* const get = library == nullptr ? nullptr : dlsym(library, "malloc");
    void* const put = library == nullptr ? nullptr : dlsym(library, "free");
    if (get == nullptr || put == nullptr) {
        std::printf("frames: %s cannot be loaded\n", name);
        return;
    }
    all.push_back(
        {name, reinterpret_cast<void* (*)(std::size_t)>(get), reinterpret_cast<void (*)(void*)>(put)});
}

struct Stream {
    int reading = -1;
    int writing = -1;
    std::string bytes;

    Stream() {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
            std::perror("contracts: socketpair");
            std::exit(1);
        }
        reading = ends[0];
        writing = ends[1];
        for (std::size_t i = 0; i < kFrames; ++i) {
            bytes += {'\0', '\1', '\0', static_cast<char>(kValue)};
            bytes.append(kValue, static_cast<char>(i));
        }
    }
    ~Stream() {
        close(reading);
        close(writing);
    }
    void fill() const {
        if (write(writing, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
            std::perror("contracts: write");
            std::exit(1);
        }
    }
};

void expect_read(ssize_t n, std::size_t wanted) {
    if (n != static_cast<ssize_t>(wanted)) {
        std::fprintf(stderr, "contracts: read %zd of %zu bytes\n", n, wanted);
        std::exit(1);
    }
}

/// Ticks of one frame, of those that fill() wrote.
template <class Read>
double ticks_of_frames(const Stream& stream, Read read_frame) {
    stream.fill();
    const std::uint64_t begin = hotlane::ticks_before();
    for (std::size_t i = 0; i < kFrames; ++i) {
        read_frame();
    }
    return static_cast<double>(hotlane::ticks_after() - begin) / kFrames;
}

/// The kernel's work alone: one call for each frame, whose place and length are known.
void read_bare(int fd) {
    static std::array<char, kHeader + kValue> frame;
    expect_read(read(fd, frame.data(), frame.size()), frame.size());
    used(frame.data());
}

/// What programs do: read the header, test it, allocate, read the value and copy it.
void read_with(const Malloc& with, int fd) {
    static std::array<unsigned char, 65536> staging;
    expect_read(read(fd, staging.data(), kHeader), kHeader);
    const std::size_t type = staging[0] << 8U | staging[1];
    const std::size_t length = static_cast<std::size_t>(staging[2] << 8U | staging[3]);
    if (type != 1 || length > kValue) {
        std::exit(1);
    }
    void* const value = with.get(length);
    expect_read(read(fd, staging.data(), length), length);
    std::memcpy(value, staging.data(), length);
    used(value);
    with.put(value);
}

void measure_frames(bool check) {
    std::vector<Malloc> mallocs{{"hotlane", malloc, free}};
    add_malloc(mallocs, "glibc", "libc.so.6");
    add_malloc(mallocs, "jemalloc", "libjemalloc.so.2");
    add_malloc(mallocs, "mimalloc", "libmimalloc.so.2");
    const Stream stream;
    hotlane::pool_set set{"frames", kClasses};
    const hotlane::frame_format format{kFormat, kMessages};
    hotlane::frame_reader reader{format, set};
    double bare = 1e9;
    double pooled = 1e9;
    std::vector<double> with(mallocs.size(), 1e9);
    for (int round = 0; round < 150; ++round) {
        bare = std::min(bare, ticks_of_frames(stream, [&] { read_bare(stream.reading); }));
        pooled = std::min(pooled, ticks_of_frames(stream, [&] {
                              const hotlane::frame found = reader.read(stream.reading);
                              if (found.status != hotlane::frame_status::frame) {
                                  std::exit(1);
                              }
                              used(found.value.data());
                          }));
        for (std::size_t i = 0; i < mallocs.size(); ++i) {
            with[i] =
                std::min(with[i], ticks_of_frames(stream, [&] { read_with(mallocs[i], stream.reading); }));
        }
    }
    std::printf("frames of %zu bytes: the kernel's work alone %.0f ticks, pooled %.0f\n", kValue, bare,
                pooled);
    for (std::size_t i = 0; i < mallocs.size(); ++i) {
        std::printf("  %-10s %.0f ticks\n", mallocs[i].name, with[i]);
        const std::string what = std::string{"overhead over that of a copy with "} + mallocs[i].name;
        expect_at_most(what.c_str(), (pooled - bare) / (with[i] - bare), 0.4, check);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bool check = argc > 1 && std::string_view(argv[1]) == "--check";
    if (argc > 1 && !check) {
        std::fprintf(stderr, "Usage: contracts [--check]\n");
        return std::string_view(argv[1]) == "--help" ? 0 : 2;
    }
    for (int attempt = 0; attempt < 4; ++attempt) {
        failures = 0;
        measure_set(check);
        measure_two_threads(check);
        measure_shared_growth(check);
        measure_ring(check);
        measure_frames(check);
        if (failures == 0) {
            return 0;
        }
    }
    return 1;
}
