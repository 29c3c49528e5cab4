// SPDX-License-Identifier: MIT
//
// Reads one row of an unwind table: where the caller's registers are while a function is at a given
// instruction.
#pragma once

#include "base/base.h"

namespace hotlane::unwind_table {

/// Where the caller's value of a register is.
struct Saved {
    enum class How : uint8_t { unchanged, at_offset, undefined, otherwise };
    How how = How::unchanged;
    int64_t offset = 0;  // bytes from the CFA
};

/// One row. The canonical frame address (CFA) is a register plus an offset.
struct Row {
    uint64_t cfa_register = 0;
    int64_t cfa_offset = 0;
    Saved frame_pointer;
    Saved return_address;
};

/// The numbers of the registers in the table.
struct Registers {
    uint64_t frame_pointer;
    uint64_t return_address;
};

/// Reads the row for the instruction `offset` bytes into the function, from the function's entry (FDE) in
/// .eh_frame (DWARF 5, 6.4; LSB 5, 10.6). Returns false if the CFA is an expression, the frame is a signal's,
/// or the entry has something that is not supported here. Trusts the table, as every unwinder does.
bool read(const void* entry, uintptr_t offset, Registers wanted, Row& row);

}  // namespace hotlane::unwind_table
