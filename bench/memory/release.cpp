// SPDX-License-Identifier: MIT
// Measures whether freed memory is returned: fills a gibibyte with objects of 16 B to 64 KiB, frees all of
// them, waits, and reads how much is still resident. With --idle 1, it makes no request while it waits.
#include "common/usage.h"
#include "common/workload.h"

#include <thread>

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "memory still resident after everything was freed");
    const auto budget = arguments.work("bytes", 1ULL << 30, "bytes of objects");
    const auto wait = arguments.number("wait-ms", 2000, "time between the last free and the reading");
    const auto idle = arguments.number("idle", 0, "1: no request while waiting");
    arguments.finish();

    const std::uint64_t most = budget / 16 + 1;
    auto* blocks = bench::mapped_array<bench::Block>(most / 64);
    const std::uint64_t before = bench::resident_bytes();
    bench::Rng random(1);
    std::uint64_t count = 0;
    for (std::uint64_t used = 0; used < budget && count < most / 64; ++count) {
        const std::size_t bytes = random.log_uniform(4, 16);
        blocks[count] = {bench::take(bytes), bytes};
        std::memset(blocks[count].object, 1, bytes);
        bench::stamp(blocks[count].object, bytes);
        used += bytes;
    }
    const std::uint64_t full = bench::resident_bytes() - before;
    for (std::uint64_t i = 0; i < count; ++i) {
        blocks[i].release();
    }
    for (std::uint64_t waited = 0; waited < wait; waited += 50) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (idle == 0) {
            std::free(bench::take(100));
        }
    }
    const std::uint64_t now = bench::resident_bytes();
    const std::uint64_t left = now > before ? now - before : 0;
    std::printf("full_mib=%.1f left_mib=%.1f left_percent=%.2f\n", bench::mebibytes(full),
                bench::mebibytes(left), 100.0 * static_cast<double>(left) / static_cast<double>(full));
    return 0;
}
