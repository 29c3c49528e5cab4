// SPDX-License-Identifier: MIT
// What the small programs share: a check that names its line and stops, byte patterns, sizes from /proc.
// Knows nothing of hotlane: every program here is an ordinary one that may run on any malloc.
// Used by tests/programs/*.c and *.cpp.
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

// Stops without running exit handlers: a heap that has gone wrong may not survive them.
#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            dprintf(2, "%s:%d: not so: %s; ", __FILE__, __LINE__, #condition);                               \
            dprintf(2, __VA_ARGS__);                                                                         \
            dprintf(2, "\n");                                                                                \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

enum { kSkipped = 77 };  // what meson takes for "cannot be tested here"

// Keeps the compiler from seeing through a pointer, and so from removing or folding an allocation.
static inline void* opaque(void* pointer) {
    void* volatile hidden = pointer;
    return hidden;
}

// A pattern counts from 1 to 251 over and over, from a start that the seed gives. 251 is prime, so that the
// pattern of a neighbour never lines up with it; 0 is no byte of a pattern.
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

// The value of a line of /proc/self/status such as "VmRSS:", in KiB. Reads without stdio, so without malloc.
size_t status_kib(const char* key);

// How many lines of /proc/self/maps there are.
size_t map_count(void);

// Whether /proc/self/maps names something that contains `name`.
int is_mapped(const char* name);

#ifdef __cplusplus
}  // extern "C"
#endif
