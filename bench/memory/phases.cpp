// SPDX-License-Identifier: MIT
// Measures whether memory that was freed in one size serves another: 256 MiB of 64-byte objects are allocated
// and freed, then of 1 KiB, then of 48 KiB. The peak should be that of one phase.
#include "common/usage.h"
#include "common/workload.h"

namespace {

void fill_and_free(void** objects, std::uint64_t count, std::size_t bytes) {
    for (std::uint64_t i = 0; i < count; ++i) {
        objects[i] = bench::take(bytes);
        std::memset(objects[i], 1, bytes);
        bench::stamp(objects[i], bytes);
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        bench::release_stamped(objects[i], bytes);
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "peak memory over phases of different sizes");
    const auto budget = arguments.work("bytes", 256ULL << 20, "bytes of objects in each phase");
    arguments.finish();

    auto** objects = bench::mapped_array<void*>(budget / 64);
    const bench::Stopwatch watch;
    const std::uint64_t before = bench::resident_bytes();
    for (const std::size_t bytes : {std::size_t{64}, std::size_t{1024}, std::size_t{48} << 10}) {
        fill_and_free(objects, budget / bytes, bytes);
    }
    const std::uint64_t peak = bench::peak_bytes() - before;
    std::printf("seconds=%.4f peak_mib=%.1f peak_ratio=%.3f\n", watch.seconds(), bench::mebibytes(peak),
                static_cast<double>(peak) / static_cast<double>(budget));
    return 0;
}
