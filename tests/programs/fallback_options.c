// SPDX-License-Identifier: MIT
// Trap: the private jemalloc ignores the user's MALLOC_CONF, or reads it in programs that never need it.
// "small" makes small requests only: an invalid MALLOC_CONF that would abort must go unread. "large" makes a
// request of 8 MiB under junk:true, and must find the bytes that this option fills memory with.
#include "check.h"

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: fallback_options small|large");
    for (size_t size = 1; size <= 65536; size *= 2) {
        free(opaque(malloc(size)));
    }
    if (strcmp(arguments[1], "large") == 0) {
        unsigned char* object = malloc(8 << 20);
        CHECK(all_bytes_are(object, 8 << 20, 0xa5), "junk:true did not reach the fallback: first byte 0x%02x",
              object[0]);
        free(object);
    }
    return 0;
}
