// SPDX-License-Identifier: MIT
// Producer and consumer (the xmalloc-test family): one thread of a pair only allocates, the other only frees,
// and objects cross in batches through a bounded queue.
#include "common/workload.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBatchObjects = 128;
constexpr std::size_t kQueueBatches = 64;

struct Batch {
    bench::Block objects[kBatchObjects];
};

// Invariant: taken_ <= given_ <= taken_ + kQueueBatches.
class Queue {
  public:
    void put(Batch* batch) {
        std::unique_lock guard(lock_);
        not_full_.wait(guard, [this] { return given_ - taken_ < kQueueBatches; });
        ring_[given_++ % kQueueBatches] = batch;
        not_empty_.notify_one();
    }

    Batch* get() {
        std::unique_lock guard(lock_);
        not_empty_.wait(guard, [this] { return given_ != taken_; });
        Batch* batch = ring_[taken_++ % kQueueBatches];
        not_full_.notify_one();
        return batch;
    }

  private:
    std::mutex lock_;
    std::condition_variable not_full_;
    std::condition_variable not_empty_;
    Batch* ring_[kQueueBatches] = {};
    std::size_t given_ = 0;
    std::size_t taken_ = 0;
};

void produce(Queue& queue, std::uint64_t batches, std::uint64_t seed) {
    bench::Rng random(seed);
    for (std::uint64_t i = 0; i < batches; ++i) {
        Batch* batch = new Batch;
        for (bench::Block& block : batch->objects) {
            block.replace(random.log_uniform(3, 10));
        }
        queue.put(batch);
    }
    queue.put(nullptr);
}

void consume(Queue& queue, std::atomic<std::uint64_t>& bytes) {
    std::uint64_t seen = 0;
    while (Batch* batch = queue.get()) {
        for (bench::Block& block : batch->objects) {
            seen += block.bytes;
            block.release();
        }
        delete batch;
    }
    bytes += seen;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "producers take, consumers free (xmalloc-test family)");
    const auto pairs = arguments.number("pairs", 1, "pairs of one producer and one consumer");
    const auto batches = arguments.work("batches", 160000, "batches of 128 objects, over all pairs");
    arguments.finish();

    const bench::Stopwatch watch;
    std::atomic<std::uint64_t> bytes{0};
    std::vector<Queue> queues(pairs);
    std::vector<std::jthread> threads;
    const std::uint64_t share = batches / pairs + 1;
    for (std::uint64_t p = 0; p < pairs; ++p) {
        threads.emplace_back(produce, std::ref(queues[p]), share, p + 1);
        threads.emplace_back(consume, std::ref(queues[p]), std::ref(bytes));
    }
    threads.clear();
    return bench::report(arguments.program(), pairs * share * kBatchObjects, watch.seconds(), bytes);
}
