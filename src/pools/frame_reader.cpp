// SPDX-License-Identifier: MIT
//
// Reads frames into pooled buffers. The kernel writes a value directly into its buffer. The same call reads
// the header of the next frame, so that a stream of frames takes one call each.
//
//   header incomplete -> header whole -> (type and length are checked, a buffer is taken) -> value -> frame
#include "pools/frame_reader.h"

#include "malloc/allocator.h"
#include "platform/os.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

/// The messages by their types: by_type[type] is 1 + the index of the message, or 0.
struct hotlane_frame_format {
    hotlane_frame_header header;
    const hotlane_message* messages;
    size_t types;  // entries of by_type
    uint32_t* by_type;
};

namespace hotlane::frames {

namespace {

constexpr size_t kTypeBytes = 2;

/// The states in which no frame is being read.
enum State : uint8_t { reading, skipping, ended, truncated };

bool is_valid(const hotlane_frame_header& header) {
    return header.size >= 1 && header.size <= HOTLANE_FRAME_HEADER_MAX &&
           (header.length_bytes == 2 || header.length_bytes == 4) &&
           header.type_offset + kTypeBytes <= header.size &&
           header.length_offset + size_t{header.length_bytes} <= header.size;
}

/// Fills the table. Returns false if a message is impossible or two have one type.
bool index_messages(hotlane_frame_format& format, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const hotlane_message& message = format.messages[i];
        uint32_t& entry = format.by_type[message.type_id];
        if (entry != 0 || (message.buffer_class != 0 && message.buffer_class < message.max_size)) {
            return false;
        }
        entry = static_cast<uint32_t>(i + 1);
    }
    return true;
}

uint32_t number_at(const unsigned char* bytes, unsigned count, bool big_endian) {
    uint32_t number = 0;
    for (unsigned i = 0; i < count; ++i) {
        number = number << 8U | bytes[big_endian ? i : count - 1 - i];
    }
    return number;
}

/// The length of the value. False if the header's length is smaller than the header that it counts.
bool read_header(hotlane_frame_reader& reader) {
    const hotlane_frame_header& header = reader.format->header;
    reader.type = static_cast<uint16_t>(
        number_at(reader.header + header.type_offset, kTypeBytes, header.big_endian != 0));
    reader.length =
        number_at(reader.header + header.length_offset, header.length_bytes, header.big_endian != 0);
    if (header.length_counts_header == 0) {
        return true;
    }
    if (reader.length < header.size) {
        return false;
    }
    reader.length -= header.size;
    return true;
}

const hotlane_message* find(const hotlane_frame_format& format, uint16_t type) {
    const uint32_t entry = type < format.types ? format.by_type[type] : 0;
    return entry == 0 ? nullptr : &format.messages[entry - 1];
}

/// Checks a whole header and takes a buffer. HOTLANE_FRAME: the value can be read.
hotlane_frame_status admit(hotlane_frame_reader& reader) {
    const bool has_length = read_header(reader);
    const hotlane_message* const message = find(*reader.format, reader.type);
    if (message == nullptr) {
        return HOTLANE_FRAME_UNKNOWN_TYPE;
    }
    if (!has_length || reader.length > message->max_size) {
        return HOTLANE_FRAME_TOO_LONG;
    }
    if (reader.length != 0) {
        void* buffer = hotlane_pool_set_get(reader.set, std::max(message->buffer_class, reader.length));
        if (buffer == nullptr) {
            return HOTLANE_FRAME_EXHAUSTED;
        }
        reader.buffer = static_cast<unsigned char*>(buffer);
    }
    reader.message = message;
    reader.filled = 0;
    reader.header_bytes = 0;
    return HOTLANE_FRAME;
}

/// What a read of `n` bytes (0: the end of the stream; -1: a failure) that brought nothing means.
hotlane_frame_status stop(hotlane_frame_reader& reader, long n) {
    if (n < 0) {
        reader.error = errno;
        const bool would_wait = errno == EAGAIN || errno == EWOULDBLOCK;
        return would_wait ? HOTLANE_FRAME_NEED_MORE : HOTLANE_FRAME_ERROR;
    }
    const bool between = reader.state == reading && reader.message == nullptr && reader.header_bytes == 0;
    end(reader);
    reader.state = between ? ended : truncated;
    return between ? HOTLANE_FRAME_END : HOTLANE_FRAME_TRUNCATED;
}

/// Reads the rest of the value, and of the next header what is there. Returns as os::read_pieces().
long read_value(hotlane_frame_reader& reader, int fd) {
    const uint32_t missing = reader.length - reader.filled;
    const long n = os::read_pieces(fd, reader.buffer + reader.filled, missing, reader.header,
                                   reader.format->header.size);
    if (n > 0) {
        const auto bytes = static_cast<uint32_t>(n);
        reader.filled += std::min(bytes, missing);
        reader.header_bytes = static_cast<uint8_t>(bytes - std::min(bytes, missing));
    }
    return n;
}

long read_header_bytes(hotlane_frame_reader& reader, int fd) {
    const long n = os::read_pieces(fd, reader.header + reader.header_bytes,
                                   reader.format->header.size - reader.header_bytes, nullptr, 0);
    if (n > 0) {
        reader.header_bytes = static_cast<uint8_t>(reader.header_bytes + n);
    }
    return n;
}

/// Reads a part of a value that nobody wants.
long read_skipped(hotlane_frame_reader& reader, int fd) {
    unsigned char discarded[4096];
    const uint32_t missing = reader.length - reader.filled;
    const long n = os::read_pieces(fd, discarded, std::min<size_t>(missing, sizeof discarded), nullptr, 0);
    if (n > 0) {
        reader.filled += static_cast<uint32_t>(n);
    }
    return n;
}

/// Reads on until a value is whole.
hotlane_frame_status advance(hotlane_frame_reader& reader, int fd) {
    for (;;) {
        long n = 1;
        if (reader.state == skipping) {
            if (reader.filled == reader.length) {
                reader.state = reading;
                continue;
            }
            n = read_skipped(reader, fd);
        } else if (reader.message != nullptr) {
            if (reader.filled == reader.length) {
                return HOTLANE_FRAME;
            }
            n = read_value(reader, fd);
        } else if (reader.header_bytes < reader.format->header.size) {
            n = read_header_bytes(reader, fd);
        } else if (const hotlane_frame_status status = admit(reader); status != HOTLANE_FRAME) {
            return status;
        }
        if (n <= 0) {
            return stop(reader, n);
        }
    }
}

}  // namespace

hotlane_frame_format* create_format(const hotlane_frame_header& header, const hotlane_message* messages,
                                    size_t count) {
    size_t types = 0;
    for (size_t i = 0; i < count; ++i) {
        types = std::max<size_t>(types, messages[i].type_id + size_t{1});
    }
    if (!is_valid(header)) {
        errno = EINVAL;
        return nullptr;
    }
    void* memory = allocate_zeroed(1, sizeof(hotlane_frame_format) + types * sizeof(uint32_t));
    if (memory == nullptr) {
        return nullptr;
    }
    auto* const format = new (memory) hotlane_frame_format{header, messages, types, nullptr};
    format->by_type = reinterpret_cast<uint32_t*>(format + 1);
    if (!index_messages(*format, count)) {
        destroy_format(format);
        errno = EINVAL;
        return nullptr;
    }
    return format;
}

void destroy_format(hotlane_frame_format* format) { release(format); }

void begin(hotlane_frame_reader& reader, const hotlane_frame_format* format, hotlane_pool_set* set) {
    reader = {};
    reader.format = format;
    reader.set = set;
}

void end(hotlane_frame_reader& reader) {
    if (reader.buffer != nullptr) {
        hotlane_pool_set_put(reader.set, reader.buffer);
    }
    begin(reader, reader.format, reader.set);
}

hotlane_frame_status read(hotlane_frame_reader& reader, int fd, hotlane_frame& out) {
    out = {};
    if (reader.state >= ended) {
        return reader.state == ended ? HOTLANE_FRAME_END : HOTLANE_FRAME_TRUNCATED;
    }
    const hotlane_frame_status status = advance(reader, fd);
    if (status == HOTLANE_FRAME_ERROR) {
        out.error = reader.error;
    } else if (status != HOTLANE_FRAME_NEED_MORE && reader.state == reading) {
        out.message = find(*reader.format, reader.type);
        out.type = reader.type;
        out.length = reader.length;
    }
    if (status == HOTLANE_FRAME) {
        out.buffer = reader.buffer;
        reader.buffer = nullptr;
        reader.message = nullptr;
    }
    return status;
}

bool skip(hotlane_frame_reader& reader) {
    const bool whole = reader.state == reading && reader.message == nullptr && reader.format != nullptr &&
                       reader.header_bytes == reader.format->header.size;
    if (!whole || !read_header(reader)) {
        return false;
    }
    reader.state = skipping;
    reader.filled = 0;
    reader.header_bytes = 0;
    return true;
}

}  // namespace hotlane::frames
