// SPDX-License-Identifier: MIT
//
// Fuzzes the reader of unwind tables with any bytes as an FDE and its CIE, whose lengths are correct.
#include "input.h"
#include "profiler/stack/cfi_interpreter.h"

#include <cstring>
#include <vector>

using namespace hotlane;
using fuzz::require;

namespace {

void append(std::vector<uint8_t>& table, uint32_t number) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&number);
    table.insert(table.end(), bytes, bytes + sizeof number);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Input input{data, size};
    const uintptr_t offset = input.number(65536);
    const std::string_view common = input.take(input.byte());
    const std::string_view entry = input.rest();
    std::vector<uint8_t> table;
    append(table, static_cast<uint32_t>(sizeof(uint32_t) + common.size()));
    append(table, 0);
    table.insert(table.end(), common.begin(), common.end());
    const size_t at = table.size();
    append(table, static_cast<uint32_t>(sizeof(uint32_t) + entry.size()));
    append(table, static_cast<uint32_t>(at + sizeof(uint32_t)));  // back to the CIE
    table.insert(table.end(), entry.begin(), entry.end());
    table.shrink_to_fit();
    constexpr unwind_table::Registers kWanted{.frame_pointer = 6, .return_address = 16};
    unwind_table::Row row;
    unwind_table::Row again;
    const bool good = unwind_table::read(table.data() + at, offset, kWanted, row);
    require(good == unwind_table::read(table.data() + at, offset, kWanted, again), "the same answer");
    require(!good || (row.cfa_register == again.cfa_register && row.cfa_offset == again.cfa_offset),
            "the same row");
    return 0;
}
