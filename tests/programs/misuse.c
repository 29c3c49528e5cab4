// SPDX-License-Identifier: MIT
// Trap: a pointer that malloc never returned, or that was freed already, is pushed onto a free list, and the
// program crashes much later and elsewhere.
// Each case, chosen by name, makes one such mistake. The table in meson.build has the expected message and
// the expected end. If the mistake only gives a warning, the heap must be intact afterwards.
#include "check.h"

#include <malloc.h>
#include <sys/mman.h>

static char static_object[256] __attribute__((aligned(64)));

static void free_stack(void) {
    char object[256] __attribute__((aligned(64)));
    free(opaque(object));
}

static void free_static(void) { free(opaque(static_object)); }

static void free_mapped(void) {
    free(opaque(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
}

static void free_nonsense(void) { free(opaque((void*)0x123456789a40)); }

static void free_misaligned(void) { free(opaque((char*)malloc(100) + 8)); }

static void free_misaligned_by_16(void) {
    free(opaque((char*)malloc(100) + 16));
    malloc_trim(0);
}

static void free_odd(void) { free(opaque((char*)malloc(100) + 1)); }

static void free_interior(void) { free(opaque((char*)malloc(128) + 64)); }

static void free_interior_of_64k(void) { free(opaque((char*)malloc(65536) + 4096)); }

// Without the exact check, an interior pointer at a multiple of 64 is detected when it leaves the thread's
// cache. So many objects are freed after it.
static void free_interior_flushed(void) {
    enum { kObjects = 5000 };
    static void* objects[kObjects];
    for (int i = 0; i < kObjects; ++i) {
        objects[i] = malloc(128);
    }
    free(opaque((char*)objects[0] + 64));
    for (int i = 1; i < kObjects; ++i) {
        free(objects[i]);
    }
    malloc_trim(0);
}

static void free_twice(void) {
    void* object = opaque(malloc(100));
    free(object);
    free(object);
}

static void free_twice_flushed(void) {
    free_twice();
    malloc_trim(0);
}

static void free_twice_with_others_between(void) {
    void* object = opaque(malloc(100));
    void* others[20];
    for (int i = 0; i < 20; ++i) {
        others[i] = malloc(100);
    }
    free(object);
    for (int i = 0; i < 20; ++i) {
        free(others[i]);
    }
    free(object);
}

static void free_large_twice(void) {
    void* object = opaque(malloc(1 << 20));
    free(object);
    free(object);
}

static void realloc_large_freed(void) {
    void* object = opaque(malloc(1 << 20));
    free(object);
    free(realloc(object, 1 << 21));
}

// The bytes before a freed object read like the header of a block that glibc mapped. glibc's free would unmap
// memory around it, and the malloc in use would hand that memory out again.
static void free_disguised(void) {
    enum { kObjects = 8, kSize = 32768, kPage = 4096 };
    char* objects[kObjects];
    char* second = NULL;  // one of two neighbours
    for (int i = 0; i < kObjects; ++i) {
        objects[i] = malloc(kSize);
    }
    for (int i = 0; i < kObjects; ++i) {
        for (int j = 0; j < kObjects; ++j) {
            second = objects[j] == objects[i] + kSize ? objects[j] : second;
        }
    }
    CHECK(second, "no object lies behind another");
    const size_t to_start_of_mapping = kPage - 16;
    const size_t size_and_mapped = (16 + kPage) | 2;
    memcpy(second - 16, &to_start_of_mapping, 8);
    memcpy(second - 8, &size_and_mapped, 8);
    for (int i = 0; i < kObjects; ++i) {
        free(objects[i]);
    }
    free(opaque(second));
    CHECK(msync(second - kPage, 2 * kPage, MS_ASYNC) == 0, "the free memory was unmapped");
}

static void free_large_interior(void) { free(opaque((char*)malloc(1 << 20) + 4096)); }

static void realloc_stack(void) {
    char object[256] __attribute__((aligned(64)));
    free(realloc(opaque(object), 512));
}

static void realloc_interior(void) { free(realloc(opaque((char*)malloc(128) + 64), 4096)); }

static void realloc_freed(void) {
    void* object = opaque(malloc(100));
    free(object);
    free(realloc(object, 4096));
}

static void usable_size_stack(void) {
    char object[256] __attribute__((aligned(64)));
    CHECK(malloc_usable_size(opaque(object)) == 0, "a stack pointer has a usable size");
}

static const struct {
    const char* name;
    void (*run)(void);
} kCases[] = {
    {"free_stack", free_stack},
    {"free_static", free_static},
    {"free_mapped", free_mapped},
    {"free_nonsense", free_nonsense},
    {"free_misaligned", free_misaligned},
    {"free_misaligned_by_16", free_misaligned_by_16},
    {"free_odd", free_odd},
    {"free_interior", free_interior},
    {"free_interior_of_64k", free_interior_of_64k},
    {"free_interior_flushed", free_interior_flushed},
    {"free_twice", free_twice},
    {"free_twice_flushed", free_twice_flushed},
    {"free_twice_with_others_between", free_twice_with_others_between},
    {"free_large_twice", free_large_twice},
    {"free_large_interior", free_large_interior},
    {"realloc_large_freed", realloc_large_freed},
    {"free_disguised", free_disguised},
    {"realloc_stack", realloc_stack},
    {"realloc_interior", realloc_interior},
    {"realloc_freed", realloc_freed},
    {"usable_size_stack", usable_size_stack},
};

static void check_heap_is_sound(void) {
    enum { kObjects = 4000 };
    static void* objects[kObjects];
    for (int round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < kObjects; ++i) {
            objects[i] = malloc(i % 300 + 1);
            CHECK(objects[i], "malloc failed after the mistake");
            pattern_fill(objects[i], i % 300 + 1, i);
        }
        for (unsigned i = 0; i < kObjects; ++i) {
            pattern_check(objects[i], i % 300 + 1, i);
            free(objects[i]);
        }
    }
}

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: misuse CASE");
    for (size_t i = 0; i < sizeof kCases / sizeof *kCases; ++i) {
        if (strcmp(kCases[i].name, arguments[1]) == 0) {
            kCases[i].run();
            check_heap_is_sound();
            return 0;
        }
    }
    CHECK(0, "no case %s", arguments[1]);
}
