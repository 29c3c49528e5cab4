// SPDX-License-Identifier: MIT
// Measures whether the next thread reuses a large block of a short-lived one. Threads run one after another,
// and each allocates, fills and frees one block of 1 MiB. Page faults are compared with those of threads that
// allocate nothing.
#include "common/usage.h"
#include "common/workload.h"

#include <pthread.h>

namespace {

constexpr std::size_t kBytes = std::size_t{1} << 20;

void* do_nothing(void*) { return nullptr; }

void* use_one_block(void*) {
    void* block = bench::take(kBytes);
    std::memset(block, 1, kBytes);
    bench::stamp(block, kBytes);
    bench::release_stamped(block, kBytes);
    return nullptr;
}

double faults_per_thread(void* (*body)(void*), std::uint64_t threads) {
    const std::uint64_t before = bench::page_faults();
    for (std::uint64_t t = 0; t < threads; ++t) {
        pthread_t thread;
        if (pthread_create(&thread, nullptr, body, nullptr) != 0) {
            bench::broken("a thread could not be started", nullptr, 0);
        }
        pthread_join(thread, nullptr);
    }
    return static_cast<double>(bench::page_faults() - before) / static_cast<double>(threads);
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "page faults of threads that each take one large block");
    const auto threads = arguments.work("threads", 3000, "threads, one after another");
    arguments.finish();

    const double empty = faults_per_thread(do_nothing, threads);
    const bench::Stopwatch watch;
    const double using_block = faults_per_thread(use_one_block, threads);
    std::printf("seconds=%.4f empty_faults=%.2f faults_per_thread=%.2f\n", watch.seconds(), empty,
                using_block > empty ? using_block - empty : 0);
    return 0;
}
