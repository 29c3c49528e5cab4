/* SPDX-License-Identifier: MIT
 *
 * Frames of type, length and value, read from a descriptor into pooled buffers, C99. hotlane.h includes this.
 */
#ifndef HOTLANE_FRAME_READER_H
#define HOTLANE_FRAME_READER_H

#include "hotlane/pool_set.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a contract says about a message. The generated headers have an array of these for each service. */
struct hotlane_message {
    const char* name;
    uint16_t type_id;
    uint32_t max_size;     /* most bytes of its value on the wire */
    uint32_t buffer_class; /* bytes of its buffers */
};

#define HOTLANE_FRAME_HEADER_MAX 32U

/** The header of a frame. The value follows it. All numbers are bytes. */
struct hotlane_frame_header {
    uint8_t size;                 /* of the header: 1 to HOTLANE_FRAME_HEADER_MAX */
    uint8_t type_offset;          /* where the type lies, a u16 */
    uint8_t length_offset;        /* where the length lies */
    uint8_t length_bytes;         /* 2 or 4 */
    uint8_t big_endian;           /* 1: network byte order; 0: little endian */
    uint8_t length_counts_header; /* 1: the length includes the header */
};

/** A header and the messages that may follow it, prepared for many readers. */
typedef struct hotlane_frame_format hotlane_frame_format;

/** Prepares a format. The messages are not copied: they must stay. Returns null with errno EINVAL (a field
 * lies outside the header, a type occurs twice) or ENOMEM. O(messages + largest type). Any thread. */
hotlane_frame_format* hotlane_frame_format_create(const struct hotlane_frame_header* header,
                                                  const struct hotlane_message* messages,
                                                  size_t count) HOTLANE_NOTHROW;
/** Frees a format that no reader uses any more. Null does nothing. */
void hotlane_frame_format_destroy(hotlane_frame_format* format) HOTLANE_NOTHROW;

enum hotlane_frame_status {
    HOTLANE_FRAME,              /* a whole frame: message, buffer and length are set */
    HOTLANE_FRAME_NEED_MORE,    /* the descriptor has no more bytes now: wait until it is readable */
    HOTLANE_FRAME_END,          /* the peer closed the stream between two frames */
    HOTLANE_FRAME_TRUNCATED,    /* the peer closed the stream inside a frame */
    HOTLANE_FRAME_UNKNOWN_TYPE, /* no message has this type; no buffer was taken */
    HOTLANE_FRAME_TOO_LONG,     /* longer than its message may be; no buffer was taken */
    HOTLANE_FRAME_EXHAUSTED,    /* there is no buffer now: put one back and read again */
    HOTLANE_FRAME_ERROR         /* the read failed: see error */
};

/** What hotlane_frame_read() found. */
struct hotlane_frame {
    const struct hotlane_message* message; /* null: unknown */
    void*
        buffer; /* the value, at a multiple of 64; the caller puts it back into the set. Null if length is 0 */
    uint32_t length; /* of the value, bytes; for TOO_LONG and UNKNOWN_TYPE what the header says */
    uint16_t type;
    int error; /* errno of a failed read */
};

/** The state of one stream. Set up by hotlane_frame_reader_init(). The fields belong to the library. */
struct hotlane_frame_reader {
    const hotlane_frame_format* format;
    hotlane_pool_set* set;
    const struct hotlane_message* message;
    unsigned char* buffer;
    uint32_t length;      /* of the value */
    uint32_t filled;      /* bytes of the value that were read */
    uint8_t header_bytes; /* bytes of the header that were read */
    uint8_t state;
    uint16_t type;
    int error;
    unsigned char header[HOTLANE_FRAME_HEADER_MAX];
};
typedef struct hotlane_frame_reader hotlane_frame_reader;

/** Begins a stream. Format and set must outlive the reader. Allocates nothing. */
void hotlane_frame_reader_init(hotlane_frame_reader* reader, const hotlane_frame_format* format,
                               hotlane_pool_set* set) HOTLANE_NOTHROW;
/** Ends a stream: puts the buffer of an unfinished frame back. */
void hotlane_frame_reader_end(hotlane_frame_reader* reader) HOTLANE_NOTHROW;
/** Reads from a blocking or non-blocking descriptor until a frame is whole, or the result says why there is
 * none. The kernel writes the value into its buffer; nothing is copied afterwards. Frames that arrive
 * together take one system call each, because the same call reads a value and the header after it. Type and
 * length are checked before a buffer is taken. Every result except FRAME and NEED_MORE stays until its cause
 * is gone. Call it until NEED_MORE: a further frame may be complete already, though the descriptor has no more
 * bytes. Continues after EINTR. A cancellation point. */
enum hotlane_frame_status hotlane_frame_read(hotlane_frame_reader* reader, int fd,
                                             struct hotlane_frame* frame);
/** After UNKNOWN_TYPE or TOO_LONG: the following reads discard this frame's value and go on with the next
 * frame. Returns 0, or -1 when there is nothing to skip or the length is smaller than the header. */
int hotlane_frame_skip(hotlane_frame_reader* reader) HOTLANE_NOTHROW;

#ifdef __cplusplus
}
#endif

#endif
