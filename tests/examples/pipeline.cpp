// SPDX-License-Identifier: MIT
//
// A pipeline stage: 16 buffers of three adjacent arrays, cleared on get, and 1,024 receipts that a batch
// takes one by one and gives back all at once. An exhausted pool returns an error, and throws no exception.
#include "expect.h"
#include "hotlane/hotlane.hpp"

#include <array>

namespace {

struct Columns {
    std::array<std::uint64_t, 8> keys, values, times;
};
struct Receipt {
    std::array<std::uint64_t, 16> fields;
};
static_assert(sizeof(Columns) == 192 && sizeof(Receipt) == 128);
using hotlane::error;

struct Stage {
    hotlane::buffer_pool columns{sizeof(Columns),
                                 16,
                                 hotlane::on_exhausted::fail,
                                 {.name = "columns", .clear = hotlane::clear::on_get}};
    hotlane::record_pool<Receipt, 1024> receipts{"receipts"};
};
Columns& columns_of(hotlane::buffer& buffer) { return *reinterpret_cast<Columns*>(buffer.data()); }

void buffers(Stage& stage) {
    EXPECT(stage.columns.capacity() == 16 && stage.columns.in_use() == 0);  // 1 creation
    auto first = stage.columns.get();                                       // 2 get
    EXPECT(first && first->size() == 192 && reinterpret_cast<std::uintptr_t>(first->data()) % 64 == 0);
    EXPECT(stage.columns.get(193).error() == error::invalid_size);  // 3 invalid size
    columns_of(*first).values[7] = 42;
    const void* const place = first->data();
    first->reset();  // 4 return
    EXPECT(stage.columns.in_use() == 0);
    auto again = stage.columns.get();  // 5 last in, first out
    EXPECT(again->data() == place);
    EXPECT(columns_of(*again).values[7] == 0);  // 6 cleared
}

void exhaustion(Stage& stage) {
    std::array<hotlane::buffer, 16> all;
    for (hotlane::buffer& one : all) {
        one = std::move(*stage.columns.get());
    }
    EXPECT(stage.columns.get().error() == error::exhausted);  // 7 exhaustion
    all[3].reset();
}

void batches(Stage& stage) {
    for (int batch = 0; batch < 10; ++batch) {
        Receipt* previous = *stage.receipts.get();  // 8 receipts
        for (int i = 1; i < 1024; ++i) {
            Receipt* next = *stage.receipts.get();
            EXPECT(next == previous + 1 && next->fields[5] == 0);
            next->fields[5] = 1;
            previous = next;
        }
        EXPECT(stage.receipts.get().error() == error::exhausted);
        stage.receipts.reset();  // 9 all at once
    }
}

}  // namespace

int main() {
    Stage stage;
    hotlane_stats_reset();
    buffers(stage);
    exhaustion(stage);
    batches(stage);
    const auto columns = hotlane::pool_statistics("columns");
    EXPECT(columns.gets == 18 && columns.exhausted == 1 && columns.peak == 16 && columns.in_use == 0);
    EXPECT(hotlane::pool_statistics("receipts").puts == 10240);
    EXPECT(hotlane::statistics().allocations == 0);  // no call to malloc
}
