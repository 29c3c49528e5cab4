// SPDX-License-Identifier: MIT
//
// The most bytes that a message takes when it is encoded.
#pragma once

#include "cli/pools/contract/contract.h"

namespace hotlane::cli {

/// Computes `max_size` of the messages for which `wanted` is true, given by index, and of their parts.
///
/// Plain: the values one after another, without padding. A string, bytes and a list have `length_prefix` bytes
/// in front of them. Protobuf: the wire format with every field present, and of each oneof the largest member.
///
/// Reports fields without bounds, recursion, declared sizes below the computed one, and sizes above kMostBytes.
void compute_sizes(Contract& contract, const std::vector<bool>& wanted, Problems& problems);

}  // namespace hotlane::cli
