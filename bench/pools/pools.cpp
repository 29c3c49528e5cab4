// SPDX-License-Identifier: MIT
//
// Measures what hotlane's own interface costs, in ticks of the time-stamp counter, beside malloc in the same
// run, and what a network codec and a database save with it compared with glibc's malloc. Linked with
// libhotlane.so; glibc's own malloc is looked up in libc. With --check, it fails if a bound is exceeded.
#include "hotlane/hotlane.hpp"
#include "platform/time/fenced_tsc.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace {

constexpr int kRounds = 60;
constexpr int kOperations = 20'000;

void used(void* p) { asm volatile("" : : "r"(p) : "memory"); }

/// Ticks of one operation: the best of many rounds, which other processes on the machine disturb least.
struct Series {
    const char* name;
    double best = 1e9;
};

template <class Operation>
void measure(Series& series, Operation operation) {
    const uint64_t begin = hotlane::ticks_before();
    for (int i = 0; i < kOperations; ++i) {
        operation();
    }
    series.best = std::min(series.best, static_cast<double>(hotlane::ticks_after() - begin) / kOperations);
}

void print_series(const Series& series) { std::printf("%-44s %8.2f ticks\n", series.name, series.best); }

struct Glibc {
    void* (*get)(size_t);
    void (*put)(void*);
};

Glibc find_glibc() {
    void* const libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    if (libc == nullptr) {
        std::fprintf(stderr, "pools: no libc.so.6\n");
        std::exit(1);
    }
    return {reinterpret_cast<void* (*)(size_t)>(dlsym(libc, "malloc")),
            reinterpret_cast<void (*)(void*)>(dlsym(libc, "free"))};
}

/// A frame, its value and the message around them.
template <class Get, class Put>
void three_allocations(Get get, Put put) {
    void* const message = get(64);
    void* const frame = get(4096);
    void* const value = get(1500);
    used(value);
    put(value);
    put(frame);
    put(message);
}

/// A query of the database: 16 nodes, 8 embeddings, 4 JSON values, and 100 small things that end with it.
constexpr std::array<size_t, 3> kKinds{64, 1024, 64};
constexpr std::array<size_t, 3> kCounts{16, 8, 4};
constexpr size_t kTemporaries = 100;

template <class Get, class Put>
void query_piece_by_piece(Get get, Put put) {
    std::array<void*, 128> held;
    size_t count = 0;
    for (size_t kind = 0; kind < kKinds.size(); ++kind) {
        for (size_t i = 0; i < kCounts[kind]; ++i) {
            used(held[count++] = get(kKinds[kind]));
        }
    }
    for (size_t i = 0; i < kTemporaries; ++i) {
        used(held[count++] = get(16 + i % 4 * 16));
    }
    while (count != 0) {
        put(held[--count]);
    }
}

/// A cleared receipt, one of 1,024 that are freed together; with glibc they are freed one by one.
struct Receipt {
    std::array<uint64_t, 16> fields;
};
using Receipts = hotlane::record_pool<Receipt, 1024>;

void receipt_from_pool(Receipts& receipts) {
    hotlane::result<Receipt*> receipt = receipts.get();
    if (!receipt) {
        receipts.reset();
        receipt = receipts.get();
    }
    used(*receipt);
}
void receipt_from_glibc(const Glibc& glibc, std::vector<void*>& held) {
    if (held.size() == Receipts::capacity()) {
        std::for_each(held.begin(), held.end(), glibc.put);
        held.clear();
    }
    held.push_back(std::memset(glibc.get(sizeof(Receipt)), 0, sizeof(Receipt)));
    used(held.back());
}

/// The head of a response and its body.
void response_from_lane() {
    hotlane::buffer head = hotlane::get(2048);
    hotlane::buffer body = hotlane::get(16384);
    used(head.data());
    used(body.data());
}
void response_from_glibc(const Glibc& glibc) {
    void* const head = glibc.get(2048);
    void* const body = glibc.get(16384);
    used(head);
    used(body);
    glibc.put(body);
    glibc.put(head);
}

/// Series without a bound, beside glibc's malloc in the same rounds.
class Others {
  public:
    void measure_round(const Glibc& glibc) {
        measure(receipt_, [this] { receipt_from_pool(receipts_); });
        measure(receipt_glibc_, [&glibc, this] { receipt_from_glibc(glibc, held_); });
        measure(response_, response_from_lane);
        measure(response_glibc_, [&glibc] { response_from_glibc(glibc); });
    }
    void print() const {
        for (const Series* series : {&receipt_, &receipt_glibc_, &response_, &response_glibc_}) {
            print_series(*series);
        }
    }

  private:
    Receipts receipts_{"receipts"};
    std::vector<void*> held_ = [] {
        std::vector<void*> held;
        held.reserve(Receipts::capacity());
        return held;
    }();
    Series receipt_{"pipeline: a receipt and its reset"};
    Series receipt_glibc_{"pipeline: a receipt, glibc's"};
    Series response_{"HTTP: two buffers, 2 and 16 KiB"};
    Series response_glibc_{"HTTP: two buffers, glibc's"};
};

struct Database {
    hotlane_pool* kinds[3];
    hotlane::arena_pool arenas{1, "operations", 64 << 10, 64 << 10};
};

void query_from_pools(Database& database) {
    std::array<void*, 28> held;
    size_t count = 0;
    for (size_t kind = 0; kind < kKinds.size(); ++kind) {
        for (size_t i = 0; i < kCounts[kind]; ++i) {
            used(held[count++] = hotlane_pool_get(database.kinds[kind]));
        }
    }
    const auto arena = std::move(*database.arenas.get());
    for (size_t i = 0; i < kTemporaries; ++i) {
        used(arena->allocate(16 + i % 4 * 16, 16));
    }
    for (size_t kind = kKinds.size(); kind-- > 0;) {
        for (size_t i = 0; i < kCounts[kind]; ++i) {
            hotlane_pool_put(database.kinds[kind], held[--count]);
        }
    }
}

/// Ticks of one operation in a batch of 16 with one reading of the clock, because a single operation is too
/// short.
template <class Operation>
double ticks_each(Operation operation) {
    const uint64_t begin = hotlane::ticks_before();
    for (size_t i = 0; i < 16; ++i) {
        operation(i);
    }
    return static_cast<double>(hotlane::ticks_after() - begin) / 16;
}

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

int failures = 0;

void expect_at_most(const char* what, double value, double bound, bool check) {
    const bool good = value <= bound;
    std::printf("%-44s %8.2f   at most %.2f%s\n", what, value, bound, good ? "" : "   FAILED");
    failures += check && !good ? 1 : 0;
}

/// The pool's median times, as a share of malloc's in the same process.
void expect_medians(hotlane_pool* pool, bool check) {
    std::array<void*, 16> held{};
    std::vector<double> acquires;
    std::vector<double> releases;
    std::vector<double> mallocs;
    std::vector<double> frees;
    for (int batch = 0; batch < 20'001; ++batch) {
        acquires.push_back(ticks_each([&](size_t i) { used(held[i] = hotlane_pool_get(pool)); }));
        releases.push_back(ticks_each([&](size_t i) { hotlane_pool_put(pool, held[i]); }));
        mallocs.push_back(ticks_each([&](size_t i) { used(held[i] = malloc(256)); }));
        frees.push_back(ticks_each([&](size_t i) { free(held[i]); }));
    }
    const double acquire = median(acquires);
    const double release = median(releases);
    std::printf("%-44s %8.2f   ticks, release %.2f\n", "acquire at p50", acquire, release);
    expect_at_most("acquire over malloc, at p50", acquire / median(mallocs), 0.85, check);
    expect_at_most("release over free, at p50", release / median(frees), 0.85, check);
}

/// The placement of code and data in memory changes times this small by a tenth, and differs between
/// processes. So the bounds are met if one process of five meets them all.
int try_again(int attempts_before) {
    if (attempts_before == 4) {
        return 1;
    }
    std::fflush(stdout);
    const char attempts[] = {static_cast<char>('1' + attempts_before), '\0'};
    execl("/proc/self/exe", "pools", "--check", attempts, nullptr);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const bool check = argc > 1 && std::string_view(argv[1]) == "--check";
    if (argc > 1 && !check) {
        std::fprintf(stderr, "Usage: pools [--check [ATTEMPTS BEFORE]]\n");
        return std::string_view(argv[1]) == "--help" ? 0 : 2;
    }
    const Glibc glibc = find_glibc();
    Series pool{"pool get + put"};
    Series pooled{"buffer_pool::get, its end"};
    Series by_malloc{"malloc + free, 256 B"};
    Series by_get{"hotlane_get + put, 256 B"};
    Series three_glibc{"codec: three of glibc's"};
    Series three_hotlane{"codec: three of hotlane's"};
    Series frame{"codec: one pooled frame"};
    Series query_glibc{"database: a query, glibc's"};
    Series query_hotlane{"database: a query, hotlane's malloc"};
    Series query_pools{"database: a query, pools and arena"};
    Series* const all[] = {&pool,          &pooled, &by_malloc,   &by_get,        &three_glibc,
                           &three_hotlane, &frame,  &query_glibc, &query_hotlane, &query_pools};

    hotlane::buffer_pool buffers{4096, 16, hotlane::on_exhausted::fail, {.name = "packets", .touch = true}};
    hotlane_pool* const c_pool = buffers.c_pool();
    Database database{};
    Others others;
    for (size_t kind = 0; kind < kKinds.size(); ++kind) {
        database.kinds[kind] = hotlane_pool_create("kinds", kKinds[kind], kCounts[kind], HOTLANE_POOL_TOUCH);
    }
    for (int round = 0; round < kRounds; ++round) {
        measure(pool, [=] {
            void* const p = hotlane_pool_get(c_pool);
            used(p);
            hotlane_pool_put(c_pool, p);
        });
        measure(pooled, [&] { used(buffers.get()->data()); });
        measure(by_malloc, [] {
            void* const p = malloc(256);
            used(p);
            free(p);
        });
        measure(by_get, [] {
            void* const p = hotlane_get(256);
            used(p);
            hotlane_put(p);
        });
        measure(three_glibc, [&] { three_allocations(glibc.get, glibc.put); });
        measure(three_hotlane, [] { three_allocations(malloc, free); });
        measure(frame, [&] { used(buffers.get(1500)->data()); });
        others.measure_round(glibc);
        if (round % 10 == 0) {
            measure(query_glibc, [&] { query_piece_by_piece(glibc.get, glibc.put); });
            measure(query_hotlane, [] { query_piece_by_piece(malloc, free); });
            measure(query_pools, [&] { query_from_pools(database); });
        }
    }
    for (const Series* series : all) {
        print_series(*series);
    }
    others.print();
    // A ratio, not ticks: processors that forward stores more slowly take three times as many ticks.
    expect_at_most("pool pair over malloc + free", pool.best / by_malloc.best, 0.5, check);
    expect_medians(c_pool, check);
    expect_at_most("get + put over malloc + free", by_get.best / by_malloc.best, 1.05, check);
    expect_at_most("codec: pooled over three of glibc's", frame.best / three_glibc.best, 0.4, check);
    expect_at_most("codec: pooled over three of hotlane's", frame.best / three_hotlane.best, 0.4, check);
    expect_at_most("database: pools over glibc's", query_pools.best / query_glibc.best, 0.5, check);
    for (hotlane_pool* kind : database.kinds) {
        hotlane_pool_destroy(kind);
    }
    return failures == 0 ? 0 : try_again(argc > 2 ? argv[2][0] - '0' : 0);
}
