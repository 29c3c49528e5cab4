// SPDX-License-Identifier: MIT
//
// Writes protobuf's wire format without allocation.
#pragma once

#include "base/base.h"

#include <cerrno>
#include <cstring>
#include <string_view>

namespace hotlane::pprof {

/// The fields of one message, in a buffer of its own. The caller keeps to the capacity.
template <size_t kCapacity>
class Message {
  public:
    /// Adds a varint field. A field with the value 0 is omitted, as in proto3.
    Message& number(uint32_t field, uint64_t value) {
        if (value != 0) {
            key(field, kVarint);
            varint(value);
        }
        return *this;
    }
    Message& bytes(uint32_t field, std::string_view value) {
        head(field, value.size());
        append(value);
        return *this;
    }
    /// Fields that another message encoded.
    void fields(std::string_view encoded) { append(encoded); }
    void varint(uint64_t value) {
        constexpr uint64_t kMore = 0x80;
        for (; value >= kMore; value >>= 7) {
            append_byte(static_cast<char>(value | kMore));
        }
        append_byte(static_cast<char>(value));
    }
    /// What precedes the bytes of a field.
    void head(uint32_t field, size_t length) {
        key(field, kLength);
        varint(length);
    }
    std::string_view view() const { return {buffer_, used_}; }

  private:
    static constexpr uint32_t kVarint = 0;
    static constexpr uint32_t kLength = 2;

    void key(uint32_t field, uint32_t type) { varint(field << 3 | type); }
    void append_byte(char byte) { append({&byte, 1}); }
    void append(std::string_view value) {
        HOTLANE_ASSERT(value.size() <= sizeof buffer_ - used_);
        memcpy(buffer_ + used_, value.data(), value.size());
        used_ += value.size();
    }

    size_t used_ = 0;
    char buffer_[kCapacity];
};

/// Takes `count` bytes. Returns 0; anything else ends the profile, and errno says why.
using Sink = int (*)(void* context, const void* bytes, size_t count);

/// Passes messages on to a sink, in pieces of 4 KiB. After the first failure all that follows is dropped.
class Stream {
  public:
    Stream(Sink sink, void* context) : sink_{sink}, context_{context} {}
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void field(uint32_t number, std::string_view value) {
        Message<32> head;
        head.head(number, value.size());
        put(head.view());
        put(value);
    }
    /// Fields that a message encoded.
    void fields(std::string_view encoded) { put(encoded); }
    void fail(int error) {
        error_ = ok_ ? error : error_;
        ok_ = false;
    }
    /// Passes on what is buffered. Returns whether all was written; if not, sets errno.
    bool flush() {
        if (ok_ && used_ != 0 && sink_(context_, buffer_, used_) != 0) {
            fail(errno);
        }
        used_ = 0;
        errno = ok_ ? errno : error_;
        return ok_;
    }

  private:
    void put(std::string_view bytes) {
        while (ok_ && !bytes.empty()) {
            const size_t room = sizeof buffer_ - used_;
            const std::string_view part = bytes.substr(0, room);
            memcpy(buffer_ + used_, part.data(), part.size());
            used_ += part.size();
            bytes.remove_prefix(part.size());
            if (used_ == sizeof buffer_) {
                flush();
            }
        }
    }

    Sink sink_;
    void* context_;
    bool ok_ = true;
    int error_ = 0;
    size_t used_ = 0;
    char buffer_[4096];
};

}  // namespace hotlane::pprof
