// SPDX-License-Identifier: MIT
//
// Frames of type, length and value, read from a descriptor into pooled buffers. hotlane.hpp has the rules
// that hold for all classes.
#pragma once

#include "hotlane/frame_reader.h"
#include "hotlane/pool_set.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace hotlane {

/// What a contract says about a message: name, type_id, max_size, buffer_class.
using message_row = hotlane_message;
/// The header of a frame.
using frame_header = hotlane_frame_header;

/// What frame_reader::read() found. frame_reader.h describes each.
enum class frame_status : std::uint8_t {
    frame = HOTLANE_FRAME,
    need_more = HOTLANE_FRAME_NEED_MORE,
    end = HOTLANE_FRAME_END,
    truncated = HOTLANE_FRAME_TRUNCATED,
    unknown_type = HOTLANE_FRAME_UNKNOWN_TYPE,
    too_long = HOTLANE_FRAME_TOO_LONG,
    exhausted = HOTLANE_FRAME_EXHAUSTED,
    error = HOTLANE_FRAME_ERROR
};

/// A frame, or the reason why there is none.
struct frame {
    frame_status status = frame_status::need_more;
    std::uint16_t type = 0;
    std::uint32_t length = 0;              // of the value, as the header says it; bytes
    const message_row* message = nullptr;  // null: unknown
    buffer value;                          // empty unless status is `frame`, and if length is 0
    int error = 0;                         // errno of a failed read

    explicit operator bool() const noexcept { return status == frame_status::frame; }
};

/// A header and the messages that may follow it, prepared for many readers. Any thread.
class frame_format {
  public:
    /// Throws std::bad_alloc when there is no memory, a field lies outside the header, or a type occurs twice.
    /// The messages are not copied.
    frame_format(const frame_header& header, std::span<const message_row> messages)
        : format_{hotlane_frame_format_create(&header, messages.data(), messages.size())} {
        if (format_ == nullptr) {
            detail::no_memory();
        }
    }
    const hotlane_frame_format* c_format() const noexcept { return format_.get(); }

  private:
    struct deleter {
        void operator()(hotlane_frame_format* format) const noexcept { hotlane_frame_format_destroy(format); }
    };
    std::unique_ptr<hotlane_frame_format, deleter> format_;
};

/// Reads the frames of one stream. Format and set must outlive it. It belongs to the thread of the set; with a
/// shared set, to one thread at a time.
class frame_reader {
  public:
    frame_reader(const frame_format& format, pool_set& set) noexcept : set_{&set} {
        hotlane_frame_reader_init(&reader_, format.c_format(), set.c_set());
    }
    ~frame_reader() { hotlane_frame_reader_end(&reader_); }
    frame_reader(const frame_reader&) = delete;
    frame_reader& operator=(const frame_reader&) = delete;

    /// See hotlane_frame_read(). The frame's buffer returns to the set when it is destroyed.
    frame read(int fd) {
        hotlane_frame found;
        const hotlane_frame_status status = hotlane_frame_read(&reader_, fd, &found);
        frame result;
        result.status = static_cast<frame_status>(status);
        result.type = found.type;
        result.length = found.length;
        result.message = found.message;
        result.error = found.error;
        if (found.buffer != nullptr) {
            result.value = set_->own(found.buffer, found.length);
        }
        return result;
    }
    /// See hotlane_frame_skip().
    bool skip() noexcept { return hotlane_frame_skip(&reader_) == 0; }

  private:
    pool_set* set_;
    hotlane_frame_reader reader_;
};

}  // namespace hotlane
