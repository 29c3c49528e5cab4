// SPDX-License-Identifier: MIT
//
// Bounds of protobuf fields, from the options of nanopb and protovalidate.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <optional>

namespace hotlane::cli {

/// The bounds of a value: of a field, or of the keys or values of a map.
struct ValueBounds {
    std::optional<uint64_t> max_bytes;
    bool defined_only = false;  // of an enum: only values that it declares
};

struct FieldBounds : ValueBounds {
    std::optional<uint64_t> max_items;  // of a list or a map
    ValueBounds key;
    ValueBounds value;
};

/// If several options bound the same, the smallest counts. The options are read from their wire format, so that
/// their definitions need not be known here. Bounds above 1G are cut to a bit more.
FieldBounds bounds_of(const google::protobuf::FieldDescriptor& field);

/// Returns nanopb's msgid, if the message has one.
std::optional<uint64_t> type_id_of(const google::protobuf::Descriptor& message);

}  // namespace hotlane::cli
