// SPDX-License-Identifier: MIT
//
// The same service in C: buffers by the constants of a message, and a frame.
#include "polygon_adapter_pools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static void read_a_frame(hotlane_pool_set* pools) {
    const unsigned char sent[] = {SwapEvent_TYPE_ID, 0, 3, 0, 0, 0, 'a', 'b', 'c'};
    int ends[2];
    EXPECT(pipe(ends) == 0 && write(ends[1], sent, sizeof sent) == (ssize_t)sizeof sent);
    hotlane_frame_format* format = polygon_adapter_format_create();
    EXPECT(format != NULL);
    hotlane_frame_reader reader;
    hotlane_frame_reader_init(&reader, format, pools);
    struct hotlane_frame frame;
    EXPECT(hotlane_frame_read(&reader, ends[0], &frame) == HOTLANE_FRAME);
    EXPECT(frame.type == SwapEvent_TYPE_ID && frame.length == 3 && memcmp(frame.buffer, "abc", 3) == 0);
    hotlane_pool_set_put(pools, frame.buffer);
    hotlane_frame_reader_end(&reader);
    hotlane_frame_format_destroy(format);
}

int main(void) {
    hotlane_pool_set* pools = polygon_adapter_pools_create();
    EXPECT(pools != NULL);
    void* swap = hotlane_pool_set_get(pools, SwapEvent_MAX_SIZE);
    void* notice = hotlane_pool_set_get(pools, Notice_MAX_SIZE);
    EXPECT(swap != NULL && notice != NULL && Notice_BUFFER_CLASS == 1024);
    memset(notice, 1, Notice_MAX_SIZE);
    hotlane_pool_set_put(pools, swap);
    hotlane_pool_set_put(pools, notice);
    read_a_frame(pools);
    hotlane_pool_set_destroy(pools);
    return 0;
}
