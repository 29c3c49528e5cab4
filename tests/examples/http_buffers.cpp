// SPDX-License-Identifier: MIT
//
// The buffers of an HTTP server, 2 to 64 KiB, straight from the allocator. Each worker warms up its cache,
// requests are counted by size, and buffers are freed wherever the response ends.
#include "expect.h"
#include "hotlane/hotlane.hpp"

#include <array>
#include <barrier>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::array<std::size_t, 6> kSizes{2048, 4096, 8192, 16384, 32768, 65536};
constexpr std::size_t kHeldAtOnce = 4;
constexpr int kWorkers = 4;
constexpr int kRequests = 20'000;  // for each worker, with at least three buffers each

std::barrier<> start(kWorkers + 1);

/// Takes a buffer for the head, one for the body, and one for each chunk of the answer.
void serve(std::minstd_rand& random) {
    hotlane::buffer head = hotlane::get(kSizes[0]);
    hotlane::buffer body = hotlane::get(kSizes[random() % kSizes.size()]);
    body.data()[body.size() - 1] = head.data()[0] = std::byte{1};
    for (std::size_t chunk = 0; chunk < random() % kHeldAtOnce; ++chunk) {
        hotlane::buffer answer = hotlane::get(kSizes[random() % kSizes.size()]);
        EXPECT(answer.capacity() == answer.size());
    }
}

void work(unsigned seed) {
    for (const std::size_t size : kSizes) {
        EXPECT(hotlane_warmup(size, kHeldAtOnce) == kHeldAtOnce);
    }
    std::minstd_rand random(seed);
    start.arrive_and_wait();  // all caches are warm
    start.arrive_and_wait();  // the counters start
    for (int i = 0; i < kRequests; ++i) {
        serve(random);
    }
    start.arrive_and_wait();  // the counters were read before threads end
    start.arrive_and_wait();
}

}  // namespace

int main() {
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < kWorkers; ++i) {
        workers.emplace_back(work, i);
    }
    start.arrive_and_wait();
    hotlane_stats_reset();
    start.arrive_and_wait();
    start.arrive_and_wait();
    for (const std::size_t size : kSizes) {
        const auto counted = hotlane::class_statistics(size);
        EXPECT(counted.object_size == size && counted.allocations > kWorkers * kRequests / kSizes.size());
        EXPECT(counted.hit_rate == 1.0 && counted.misses == 0 && counted.frees == counted.allocations);
        EXPECT(counted.discards == 0 && counted.bytes_reused == counted.allocations * size);
    }
    std::string metrics(64 * 1024, '\0');
    EXPECT(hotlane_stats_format(metrics.data(), metrics.size(), HOTLANE_PROMETHEUS) > 0);
    EXPECT(metrics.find("hotlane_hits_total{class=\"16384\",") != std::string::npos);
    start.arrive_and_wait();
    for (std::thread& worker : workers) {
        worker.join();
    }
    std::vector<hotlane::buffer> burst(500);
    for (hotlane::buffer& one : burst) {
        one = hotlane::get(4096);
    }
    burst.clear();  // more than a thread cache keeps: the rest goes to the depot, for other threads
    EXPECT(hotlane::class_statistics(4096).discards > 100);
}
