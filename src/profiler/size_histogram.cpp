// SPDX-License-Identifier: MIT
//
// Counts samples by size. The counters are atomic and not updated together: a copy at the peak may miss a few
// samples that other threads are adding.
#include "profiler/size_histogram.h"

#include "platform/os.h"

#include <algorithm>
#include <atomic>
#include <span>

namespace hotlane::size_histogram {

namespace {

using Counter = std::atomic<uint64_t>;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint64_t kEarlyNs = 1'000'000'000;

struct Counters {
    Counter requests;
    Counter live;
    Counter live_bytes;
    Counter peak;
    Counter peak_bytes;
    Counter early;
};

constinit Counters* rows = nullptr;  // written once, before the first sample
constinit Counter session_start_ns{0};
constinit Counter live_bytes{0};       // of all rows
constinit Counter peak_live_bytes{0};  // at the last copy
constinit std::atomic<bool> copying{false};

Counters* row_of(size_t n) {
    return rows == nullptr || n > kLargestSmall ? nullptr : &rows[n == 0 ? 0 : (n - 1) / kStep];
}

/// Copies the live counts when there are a hundredth more live bytes than at the last copy, so that growth to
/// any size costs few copies.
void copy_at_peak(uint64_t live) {
    const uint64_t before = peak_live_bytes.load(kRelaxed);
    if (live <= before + before / 100 || copying.exchange(true, std::memory_order_acquire)) {
        return;
    }
    peak_live_bytes.store(live, kRelaxed);
    for (Counters& row : std::span(rows, kRows)) {
        if (row.requests.load(kRelaxed) != 0) {
            row.peak.store(row.live.load(kRelaxed), kRelaxed);
            row.peak_bytes.store(row.live_bytes.load(kRelaxed), kRelaxed);
        }
    }
    // Pairs with the exchange above: the next copy is written after this one.
    copying.store(false, std::memory_order_release);
}

}  // namespace

bool set_up() {
    rows = rows != nullptr ? rows : static_cast<Counters*>(os::map(sizeof(Counters) * kRows));
    return rows != nullptr;
}

void begin_session(uint64_t now_ns) { session_start_ns.store(now_ns, kRelaxed); }

void add(size_t n, uint64_t weight, uint64_t now_ns) {
    Counters* row = row_of(n);
    if (row == nullptr) {
        return;
    }
    row->requests.fetch_add(weight, kRelaxed);
    const uint64_t live = row->live.fetch_add(weight, kRelaxed) + weight;
    row->live_bytes.fetch_add(weight * n, kRelaxed);
    if (now_ns - session_start_ns.load(kRelaxed) < kEarlyNs && live > row->early.load(kRelaxed)) {
        row->early.store(live, kRelaxed);  // of two threads at once, either value will do
    }
    copy_at_peak(live_bytes.fetch_add(weight * n, kRelaxed) + weight * n);
}

void take(size_t n, uint64_t weight) {
    if (Counters* row = row_of(n); row != nullptr) {
        row->live.fetch_sub(weight, kRelaxed);
        row->live_bytes.fetch_sub(weight * n, kRelaxed);
        live_bytes.fetch_sub(weight * n, kRelaxed);
    }
}

void for_each(void (*visit)(size_t size, const Row& row, void* context), void* context) {
    for (size_t i = 0; rows != nullptr && i < kRows; ++i) {
        const Counters& row = rows[i];
        if (row.requests.load(kRelaxed) != 0) {
            visit((i + 1) * kStep,
                  {.requests = row.requests.load(kRelaxed),
                   .live = row.live.load(kRelaxed),
                   .live_bytes = row.live_bytes.load(kRelaxed),
                   .peak = row.peak.load(kRelaxed),
                   .peak_bytes = row.peak_bytes.load(kRelaxed),
                   .early = row.early.load(kRelaxed)},
                  context);
        }
    }
}

}  // namespace hotlane::size_histogram
