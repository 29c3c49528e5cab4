// SPDX-License-Identifier: MIT
//
// Reads the file of --bounds: bounds for fields of a contract that has none, in a file of its own.
#pragma once

#include "cli/pools/contract/contract.h"

namespace hotlane::cli {

/// Each line has a name and what is known about it, as the .options files of nanopb:
///   dex.SwapEvent         type_id:7
///   dex.SwapEvent.pool    max_bytes:42
///   dex.SwapEvent.ticks   max_items:16
///   dex.SwapEvent.notes.value  max_bytes:100      the values of a map; .key: its keys
/// Also max_size, max_length and max_count, with the meaning that they have for nanopb. # begins a comment.
/// These bounds replace those of the contract. Reports what is wrong.
void apply_bounds(Contract& contract, const std::string& file, std::string_view text, Problems& problems);

}  // namespace hotlane::cli
