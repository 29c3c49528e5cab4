// SPDX-License-Identifier: MIT
// Measures the memory of waiting threads: a thousand threads have each used three size classes and are all
// alive when memory is read. The figure includes each thread's own stack, which is the same under every
// allocator.
#include "common/usage.h"
#include "common/workload.h"

#include <barrier>
#include <thread>
#include <vector>

namespace {

void use_three_classes() {
    bench::Block blocks[3][16];
    const std::size_t sizes[3] = {64, 256, 1024};
    for (int size = 0; size < 3; ++size) {
        for (bench::Block& block : blocks[size]) {
            block.replace(sizes[size]);
        }
    }
    for (auto& blocks_of_size : blocks) {
        for (bench::Block& block : blocks_of_size) {
            block.release();
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "resident memory of a thread that waits");
    const auto threads = arguments.work("threads", 1000, "threads alive at once");
    arguments.finish();

    std::vector<std::thread> workers;
    workers.reserve(threads);
    std::barrier meeting(static_cast<std::ptrdiff_t>(threads + 1));
    const std::uint64_t before = bench::resident_bytes();
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back([&meeting] {
            use_three_classes();
            meeting.arrive_and_wait();
            meeting.arrive_and_wait();
        });
    }
    meeting.arrive_and_wait();
    const std::uint64_t alive = bench::resident_bytes();
    meeting.arrive_and_wait();
    for (std::thread& worker : workers) {
        worker.join();
    }
    std::printf("kib_per_thread=%.2f\n",
                static_cast<double>(alive - before) / 1024 / static_cast<double>(threads));
    return 0;
}
