// SPDX-License-Identifier: MIT
//
// Writes messages in protobuf's wire format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

class ProtobufMessage {
  public:
    /// Adds a varint field. A field with the value 0 is omitted, as in proto3.
    void number(uint32_t field, int64_t value) {
        if (value != 0) {
            key(field, kVarint);
            varint(static_cast<uint64_t>(value));
        }
    }
    void text(uint32_t field, std::string_view value) {
        key(field, kLength);
        varint(value.size());
        bytes_.append(value);
    }
    void message(uint32_t field, const ProtobufMessage& value) { text(field, value.bytes_); }
    void packed(uint32_t field, const std::vector<int64_t>& values) {
        ProtobufMessage all;
        for (const int64_t value : values) {
            all.varint(static_cast<uint64_t>(value));
        }
        message(field, all);
    }
    const std::string& bytes() const { return bytes_; }

  private:
    static constexpr uint32_t kVarint = 0;
    static constexpr uint32_t kLength = 2;

    void key(uint32_t field, uint32_t type) { varint(field << 3U | type); }
    void varint(uint64_t value) {
        constexpr uint64_t kMore = 0x80;
        for (; value >= kMore; value >>= 7U) {
            bytes_ += static_cast<char>(value | kMore);
        }
        bytes_ += static_cast<char>(value);
    }

    std::string bytes_;
};

}  // namespace hotlane::cli
