// SPDX-License-Identifier: MIT
// Measures whether memory stays bounded if one thread only allocates and another only frees: 10^8 objects
// cross in order through a short ring, while resident memory is sampled. Runs with one pair and with four.
#include "common/usage.h"
#include "common/workload.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

// One producer, one consumer. Invariant: taken <= given <= taken + kSlots.
struct Ring {
    static constexpr std::uint64_t kSlots = 4096;
    alignas(64) std::atomic<std::uint64_t> given{0};
    alignas(64) std::atomic<std::uint64_t> taken{0};
    alignas(64) void* slots[kSlots];
};

constexpr std::size_t kBytes = 64;

// There may be more pairs than processors, so a side that cannot go on yields the processor.
void produce(Ring& ring, std::uint64_t objects) {
    for (std::uint64_t i = 0; i < objects; ++i) {
        while (i - ring.taken.load(std::memory_order_acquire) == Ring::kSlots) {
            std::this_thread::yield();
        }
        ring.slots[i % Ring::kSlots] = bench::take_stamped(kBytes);
        ring.given.store(i + 1, std::memory_order_release);
    }
}

void consume(Ring& ring, std::uint64_t objects) {
    for (std::uint64_t i = 0; i < objects; ++i) {
        while (i == ring.given.load(std::memory_order_acquire)) {
            std::this_thread::yield();
        }
        bench::release_stamped(ring.slots[i % Ring::kSlots], kBytes);
        ring.taken.store(i + 1, std::memory_order_release);
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "resident memory while objects cross threads");
    const auto pairs = arguments.number("pairs", 1, "pairs of one producer and one consumer");
    const auto objects = arguments.work("objects", 100000000, "objects, over all pairs");
    const auto settle = arguments.number("settle-ms", 1000, "time after which memory has to be flat");
    arguments.finish();

    std::vector<Ring> rings(pairs);
    const bench::Stopwatch watch;
    std::atomic<bool> done{false};
    std::uint64_t settled = 0;
    std::uint64_t most = 0;
    std::thread sampler([&] {
        while (!done) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            const std::uint64_t now = bench::resident_bytes();
            if (watch.seconds() * 1000 < static_cast<double>(settle) || settled == 0) {
                settled = now;
            }
            most = now > most ? now : most;
        }
    });
    std::vector<std::jthread> workers;
    for (Ring& ring : rings) {
        workers.emplace_back(produce, std::ref(ring), objects / pairs);
        workers.emplace_back(consume, std::ref(ring), objects / pairs);
    }
    workers.clear();
    const double seconds = watch.seconds();
    done = true;
    sampler.join();
    std::printf("seconds=%.4f settled_mib=%.2f growth_mib=%.2f\n", seconds, bench::mebibytes(settled),
                bench::mebibytes(most) - bench::mebibytes(settled));
    return 0;
}
