// SPDX-License-Identifier: MIT
//
// One row of an unwind table: where a function's caller's registers are while it is at one instruction.
// Knows nothing of frames, nor of which registers there are.
// Used by frame_rules.
#pragma once

#include "base/base.h"

namespace hotlane::unwind_table {

/// Where a register's value in the caller is.
struct Saved {
    enum class How : uint8_t { unchanged, at_offset, undefined, otherwise };
    How how = How::unchanged;
    int64_t offset = 0;  // bytes from the CFA
};

/// The canonical frame address is a register plus an offset.
struct Row {
    uint64_t cfa_register = 0;
    int64_t cfa_offset = 0;
    Saved frame_pointer;
    Saved return_address;
};

/// By their numbers in the table.
struct Registers {
    uint64_t frame_pointer;
    uint64_t return_address;
};

/// The row for the instruction `offset` bytes into the function, from its entry (FDE) in .eh_frame (DWARF
/// 5, 6.4; LSB 5, 10.6). False: the CFA is an expression, the frame is a signal's, or something in it is not
/// known here. Trusts the table, as every unwinder does.
bool read(const void* entry, uintptr_t offset, Registers wanted, Row& row);

}  // namespace hotlane::unwind_table
