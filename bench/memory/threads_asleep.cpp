// SPDX-License-Identifier: MIT
// Measures the longest call of malloc or free of a thread that works while thousands of others sleep, each with free
// objects of many sizes in its cache. Whoever takes these objects back does it inside such a call.
#include "common/usage.h"
#include "common/workload.h"

#include <algorithm>
#include <barrier>
#include <ctime>
#include <pthread.h>

namespace {

constexpr std::size_t kSizes[] = {64, 128, 256, 512, 1024, 2048, 4096, 8192};

std::uint64_t bytes_of_size = 0;
std::barrier<>* meeting = nullptr;

// Twice, so that the cache has grown before it is filled.
void fill_cache() {
    constexpr std::size_t kMost = 1024;
    bench::Block blocks[kMost];
    for (int round = 0; round < 2; ++round) {
        for (const std::size_t size : kSizes) {
            const std::size_t count = std::min(bytes_of_size / size, kMost);
            std::for_each_n(blocks, count, [size](bench::Block& block) { block.replace(size); });
            std::for_each_n(blocks, count, [](bench::Block& block) { block.release(); });
        }
    }
}

void* fill_and_sleep(void*) {
    fill_cache();
    meeting->arrive_and_wait();
    meeting->arrive_and_wait();
    return nullptr;
}

// Processor time of this thread, because it may have to wait for a processor.
std::uint64_t processor_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// Returns how long the longest replacement took.
std::uint64_t work(std::uint64_t ms) {
    constexpr std::uint32_t kLive = 256;
    bench::Block blocks[kLive];
    bench::Rng random(1);
    std::uint64_t longest = 0;
    for (const bench::Stopwatch watch; watch.seconds() * 1000 < static_cast<double>(ms);) {
        for (int i = 0; i < 1000; ++i) {
            bench::Block& block = blocks[random.below(kLive)];
            const std::size_t bytes = random.log_uniform(4, 13);
            const std::uint64_t begin = processor_ns();
            block.replace(bytes);
            longest = std::max(longest, processor_ns() - begin);
        }
    }
    for (bench::Block& block : blocks) {
        block.release();
    }
    return longest;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "the longest call while thousands of threads sleep");
    const auto threads = arguments.work("threads", 3000, "threads that sleep");
    const auto ms = arguments.number("ms", 4000, "how long the working thread works");
    bytes_of_size = arguments.number("bytes", 16 << 10, "bytes of each of eight sizes that a thread used");
    arguments.finish();

    std::barrier<> both(static_cast<std::ptrdiff_t>(threads + 1));
    meeting = &both;
    auto* workers = bench::mapped_array<pthread_t>(threads);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 << 10);
    for (std::uint64_t t = 0; t < threads; ++t) {
        if (pthread_create(&workers[t], &small, fill_and_sleep, nullptr) != 0) {
            bench::broken("a thread could not be started", nullptr, 0);
        }
    }
    meeting->arrive_and_wait();
    const std::uint64_t before = bench::resident_bytes();
    const std::uint64_t longest = work(ms);
    const std::uint64_t after = bench::resident_bytes();
    meeting->arrive_and_wait();
    std::for_each_n(workers, threads, [](pthread_t worker) { pthread_join(worker, nullptr); });
    std::printf("longest_us=%.1f before_mib=%.1f after_mib=%.1f\n", static_cast<double>(longest) / 1000,
                bench::mebibytes(before), bench::mebibytes(after));
    return 0;
}
