/* SPDX-License-Identifier: MIT
 * The reader of frames and sets of pools from C99: a frame in two pieces, one of an unknown type, and the end. */
#include "hotlane/hotlane.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPECT(condition)                                                                                    \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), exit(1)))

static void feed(int fd, const void* bytes, size_t count) {
    EXPECT(write(fd, bytes, count) == (ssize_t)count);
}

int main(void) {
    static const struct hotlane_message messages[] = {{"Greeting", 3, 100, 128}};
    static const struct hotlane_pool_class classes[] = {{128, 1, 0}};
    const struct hotlane_frame_header header = {4, 0, 2, 2, 0, 0};
    const struct hotlane_pool_set_settings settings = {"c", classes, 1, HOTLANE_POOL_FAIL, 0, 0};
    hotlane_frame_format* format = hotlane_frame_format_create(&header, messages, 1);
    hotlane_pool_set* set = hotlane_pool_set_create(&settings, sizeof settings);
    hotlane_frame_reader reader;
    struct hotlane_frame frame;
    void* kept;
    int ends[2];
    EXPECT(format != NULL && set != NULL && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    hotlane_frame_reader_init(&reader, format, set);

    feed(ends[1], "\3\0\5\0hello\3\0\3\0abc\11\0\2\0xy\3\0\0\0", 4 + 5 + 4 + 3 + 4 + 2 + 4);
    shutdown(ends[1], SHUT_WR);
    EXPECT(hotlane_frame_read(&reader, ends[0], &frame) == HOTLANE_FRAME);
    EXPECT(frame.type == 3 && frame.length == 5 && memcmp(frame.buffer, "hello", 5) == 0);
    EXPECT(frame.message == &messages[0] && (uintptr_t)frame.buffer % 64 == 0);
    kept = frame.buffer;
    EXPECT(hotlane_frame_read(&reader, ends[0], &frame) == HOTLANE_FRAME_EXHAUSTED);
    hotlane_pool_set_put(set, kept);
    EXPECT(hotlane_frame_read(&reader, ends[0], &frame) == HOTLANE_FRAME);
    EXPECT(frame.length == 3 && memcmp(frame.buffer, "abc", 3) == 0);
    hotlane_pool_set_put(set, frame.buffer);
    EXPECT(hotlane_frame_read(&reader, ends[0], &frame) == HOTLANE_FRAME_UNKNOWN_TYPE);
    EXPECT(frame.type == 9 && frame.length == 2 && frame.message == NULL);
    EXPECT(hotlane_frame_skip(&reader) == 0);
    EXPECT(hotlane_frame_read(&reader, ends[0], &frame) == HOTLANE_FRAME);
    EXPECT(frame.length == 0 && frame.buffer == NULL && frame.message == &messages[0]);
    EXPECT(hotlane_frame_read(&reader, ends[0], &frame) == HOTLANE_FRAME_END);

    hotlane_frame_reader_end(&reader);
    hotlane_pool_set_destroy(set);
    hotlane_frame_format_destroy(format);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
