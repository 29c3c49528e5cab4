// SPDX-License-Identifier: MIT
// Micro benchmarks of single entry points, with Google Benchmark: pairs, orders, every size class, new and
// delete, calloc, realloc. They help with tuning one operation; the workloads are what allocators are judged
// by. Start it by hand: LD_PRELOAD=... build/bench/micro --benchmark_filter=...
#include "common/workload.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <new>
#include <numeric>
#include <vector>

namespace {

void* used(void* object) {
    benchmark::DoNotOptimize(object);
    benchmark::ClobberMemory();
    return object;
}

void pair(benchmark::State& state) {
    const auto bytes = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        std::free(used(std::malloc(bytes)));
    }
}

// Allocates `order.size()` objects, then frees them in the given order.
void take_then_free(benchmark::State& state, const std::vector<std::size_t>& order) {
    std::vector<void*> objects(order.size());
    for (auto _ : state) {
        for (void*& object : objects) {
            object = used(std::malloc(64));
        }
        for (const std::size_t place : order) {
            std::free(objects[place]);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(order.size()));
}

std::vector<std::size_t> first_to_last(std::size_t count) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    return order;
}

void lifo(benchmark::State& state) {
    auto order = first_to_last(static_cast<std::size_t>(state.range(0)));
    std::reverse(order.begin(), order.end());
    take_then_free(state, order);
}

void fifo(benchmark::State& state) {
    take_then_free(state, first_to_last(static_cast<std::size_t>(state.range(0))));
}

void random_order(benchmark::State& state) {
    auto order = first_to_last(static_cast<std::size_t>(state.range(0)));
    bench::Rng random(1);
    for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
    }
    take_then_free(state, order);
}

// Replaces a random object of a live set.
void random_live(benchmark::State& state) {
    std::vector<bench::Block> blocks(static_cast<std::size_t>(state.range(0)));
    bench::Rng random(1);
    for (auto _ : state) {
        blocks[random.below(static_cast<std::uint32_t>(blocks.size()))].replace(random.log_uniform(4, 11));
    }
    for (bench::Block& block : blocks) {
        block.release();
    }
}

void new_delete(benchmark::State& state) {
    for (auto _ : state) {
        ::operator delete(used(::operator new(static_cast<std::size_t>(state.range(0)))));
    }
}

void sized_delete(benchmark::State& state) {
    const auto bytes = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        ::operator delete(used(::operator new(bytes)), bytes);
    }
}

void zeroed(benchmark::State& state) {
    for (auto _ : state) {
        std::free(used(std::calloc(1, static_cast<std::size_t>(state.range(0)))));
    }
}

// Grows by steps of 16 bytes to the given size.
void growth(benchmark::State& state) {
    const auto most = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        void* object = nullptr;
        for (std::size_t bytes = 16; bytes <= most; bytes += 16) {
            object = used(std::realloc(object, bytes));
        }
        std::free(object);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(most / 16));
}

// Multiples of 64 to 1 KiB, then four steps per doubling, to 64 KiB.
void each_class(benchmark::internal::Benchmark* benchmark) {
    for (std::int64_t bytes = 64; bytes < 1024; bytes += 64) {
        benchmark->Arg(bytes);
    }
    for (std::int64_t doubling = 1024; doubling < 65536; doubling *= 2) {
        for (std::int64_t step = 0; step < 4; ++step) {
            benchmark->Arg(doubling + doubling / 4 * step);
        }
    }
    benchmark->Arg(65536);
}

BENCHMARK(pair)->Arg(8)->Apply(each_class);
BENCHMARK(lifo)->Arg(100);
BENCHMARK(fifo)->Arg(100);
BENCHMARK(random_order)->Arg(1000);
BENCHMARK(random_live)->Arg(1000);
BENCHMARK(new_delete)->Arg(64)->Arg(1024);
BENCHMARK(sized_delete)->Arg(64)->Arg(1024);
BENCHMARK(zeroed)->Arg(64)->Arg(1024)->Arg(65536);
BENCHMARK(growth)->Arg(1024)->Arg(65536);
// Two threads at once show the cost of shared data.
BENCHMARK(pair)->Arg(64)->Threads(2)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
