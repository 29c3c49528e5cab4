// SPDX-License-Identifier: MIT
// What the test programs share: a check that prints its line and stops, byte patterns, and figures from
// /proc. Nothing here depends on hotlane: every test program may run on any malloc.
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
#include <cstdlib>
#include <cstring>
extern "C" {
#endif

// Stops without running exit handlers, because a corrupt heap may not survive them.
#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            dprintf(2, "%s:%d: not so: %s; ", __FILE__, __LINE__, #condition);                               \
            dprintf(2, __VA_ARGS__);                                                                         \
            dprintf(2, "\n");                                                                                \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

enum { kSkipped = 77 };  // meson's exit status for a test that was skipped

// Keeps the compiler from seeing through a pointer, so that it cannot remove or fold an allocation.
static inline void* opaque(void* pointer) {
    void* volatile hidden = pointer;
    return hidden;
}

// A pattern counts from 1 to 251 again and again, starting at a value that the seed gives. 251 is prime, so
// the pattern of a neighbour never lines up with it. 0 is not part of any pattern.
static inline unsigned char pattern_next(unsigned char byte) {
    return byte == 251 ? 1 : (unsigned char)(byte + 1);
}

static inline void pattern_fill(void* object, size_t size, unsigned seed) {
    unsigned char* bytes = (unsigned char*)object;
    unsigned char expected = (unsigned char)(seed % 251 + 1);
    for (size_t i = 0; i < size; ++i, expected = pattern_next(expected)) {
        bytes[i] = expected;
    }
}

static inline void pattern_check(const void* object, size_t size, unsigned seed) {
    const unsigned char* bytes = (const unsigned char*)object;
    unsigned char expected = (unsigned char)(seed % 251 + 1);
    for (size_t i = 0; i < size; ++i, expected = pattern_next(expected)) {
        CHECK(bytes[i] == expected, "byte %zu of an object of %zu at %p is 0x%02x, not 0x%02x", i, size,
              object, bytes[i], expected);
    }
}

static inline int all_bytes_are(const void* object, size_t size, unsigned char value) {
    const unsigned char* bytes = (const unsigned char*)object;
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] != value) {
            return 0;
        }
    }
    return 1;
}

static inline uint64_t next_random(uint64_t* state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// The value of a line of /proc/self/status such as "VmRSS:", in KiB. Reads without stdio, so it does not call
// malloc.
size_t status_kib(const char* key);

// The number of lines of /proc/self/maps.
size_t map_count(void);

// Whether /proc/self/maps has a line that contains `name`.
int is_mapped(const char* name);

#ifdef __cplusplus
}  // extern "C"
#endif
