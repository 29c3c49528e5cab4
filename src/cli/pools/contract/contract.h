// SPDX-License-Identifier: MIT
//
// The messages of a contract, whichever format they were described in.
#pragma once

#include "cli/pools/contract/problems.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

/// A larger message, pool or count is an error, so that sums of a few of them fit into 64 bits.
inline constexpr uint64_t kMostBytes = uint64_t{1} << 30;

enum class FieldKind : uint8_t {
    fixed,     // always at most `item_bytes`
    variable,  // a string or bytes of at most `max_bytes`
    message,
};

struct Field {
    std::string name;
    Place place;
    FieldKind kind = FieldKind::fixed;
    uint64_t item_bytes = 0;  // fixed: the most that one value takes, without a tag
    std::string type;         // message: its name
    bool is_string = false;   // variable: text, which nanopb bounds with a terminating null character
    std::optional<uint64_t> max_bytes;
    /// A list holds up to `max_items` values, an array always so many.
    bool is_list = false;
    bool is_array = false;
    std::optional<uint64_t> max_items;
    // Of protobuf only.
    uint32_t number = 0;
    bool packed = false;
    bool group = false;
    std::optional<int> oneof;  // fields with the same number exclude each other
};

struct Message {
    std::string name;
    /// With protobuf, the name with its package. Otherwise the same as `name`.
    std::string full_name;
    Place place;
    std::optional<uint64_t> type_id;
    Place type_id_place;
    std::vector<Field> fields;
    std::optional<uint64_t> declared_size;
    Place size_place;
    uint64_t header_bytes = 0;  // in front of the fields, in the same buffer
    /// Another message's part, which a service cannot name: the entry of a protobuf map.
    bool is_entry = false;
    std::string why_unbounded;  // not empty if no bound of a field makes it bounded
    uint64_t max_size = 0;      // computed by compute_sizes()
};

/// Where a frame has the type and the length of the message that follows it.
struct FrameHeader {
    uint64_t size = 6;
    uint64_t type_offset = 0;  // of two bytes
    uint64_t length_offset = 2;
    uint64_t length_bytes = 4;  // 2 or 4
    bool big_endian = false;
    bool length_includes_header = false;
};

enum class Encoding : uint8_t { plain, protobuf };

struct Contract {
    std::string file;
    Encoding encoding = Encoding::plain;
    uint64_t length_prefix = 4;  // bytes in front of each string, bytes and list; plain only
    FrameHeader header;
    std::vector<Message> messages;
    std::vector<std::string> files;  // all that were read
};

/// Reports names and type ids that occur twice. Numbers the messages without a type id: each has the one of the
/// message before it plus 1, as an enumerator in C; the first has 1.
void complete_type_ids(Contract& contract, Problems& problems);

/// Returns the names of all messages that a service may name.
std::vector<std::string_view> message_names(const Contract& contract);

}  // namespace hotlane::cli
