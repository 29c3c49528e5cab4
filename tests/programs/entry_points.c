// SPDX-License-Identifier: MIT
// Trap: a block comes from one allocator's malloc and goes to another's free, because one entry point was
// forgotten.
// Every function that allocates or frees is looked up as the dynamic linker would. It must lie in the library
// that owns malloc, and must work together with the others.
#include "check.h"

#include <malloc.h>

typedef void* (*Allocate)(size_t);
typedef void* (*AllocateAligned)(size_t, size_t);
typedef void* (*Resize)(void*, size_t);
typedef void* (*ResizeArray)(void*, size_t, size_t);
typedef int (*AllocateInto)(void**, size_t, size_t);
typedef void (*Release)(void*);
typedef void (*ReleaseSized)(void*, size_t);
typedef void (*ReleaseAligned)(void*, size_t, size_t);

static const char* owner_of_malloc;

static void* lookup(const char* name) {
    void* address = dlsym(RTLD_DEFAULT, name);
    CHECK(address, "%s is missing", name);
    Dl_info info;
    CHECK(dladdr(address, &info), "%s belongs to no library", name);
    CHECK(strcmp(info.dli_fname, owner_of_malloc) == 0, "%s is %s's, malloc is %s's", name, info.dli_fname,
          owner_of_malloc);
    return address;
}

static void use(const char* name, void* object, size_t size, size_t alignment) {
    CHECK(object, "%s(%zu) failed", name, size);
    CHECK((uintptr_t)object % alignment == 0, "%s gave %p, not aligned to %zu", name, object, alignment);
    CHECK(malloc_usable_size(object) >= size, "%s(%zu): usable %zu", name, size, malloc_usable_size(object));
    memset(object, 0x5a, malloc_usable_size(object));
}

static const size_t kSizes[] = {1, 100, 5000, 65536, 65537, 3 << 20};

static void check_allocating(void) {
    static const char* const plain[] = {"malloc",        "__libc_malloc", "valloc",
                                        "__libc_valloc", "pvalloc",       "__libc_pvalloc"};
    static const char* const aligned[] = {"memalign", "__libc_memalign", "aligned_alloc"};
    static const char* const zeroed[] = {"calloc", "__libc_calloc"};
    static const char* const into[] = {"posix_memalign", "__posix_memalign"};
    for (size_t s = 0; s < sizeof kSizes / sizeof *kSizes; ++s) {
        const size_t size = kSizes[s];
        for (size_t i = 0; i < 6; ++i) {
            void* object = ((Allocate)lookup(plain[i]))(size);
            use(plain[i], object, i < 4 ? size : (size + 4095) / 4096 * 4096, i < 2 ? 16 : 4096);
            free(object);
        }
        for (size_t i = 0; i < 3; ++i) {
            void* object = ((AllocateAligned)lookup(aligned[i]))(256, size);
            use(aligned[i], object, size, 256);
            free(object);
        }
        for (size_t i = 0; i < 2; ++i) {
            void* object = ((AllocateAligned)lookup(zeroed[i]))(size, 1);
            CHECK(object && all_bytes_are(object, size, 0), "%s(%zu) is not zero", zeroed[i], size);
            use(zeroed[i], object, size, 16);
            free(object);
        }
        for (size_t i = 0; into[i] && i < 2; ++i) {
            void* address = dlsym(RTLD_DEFAULT, into[i]);
            if (!address && i == 1) {
                continue;  // no such dynamic symbol in glibc 2.36, so no program can call it
            }
            void* object = NULL;
            CHECK(((AllocateInto)lookup(into[i]))(&object, 512, size) == 0, "%s(%zu) failed", into[i], size);
            use(into[i], object, size, 512);
            free(object);
        }
    }
}

static void check_resizing(void) {
    static const char* const resizing[] = {"realloc", "__libc_realloc"};
    for (size_t s = 0; s < sizeof kSizes / sizeof *kSizes; ++s) {
        for (size_t i = 0; i < 2; ++i) {
            Resize resize = (Resize)lookup(resizing[i]);
            void* object = resize(NULL, 10);
            use(resizing[i], object, 10, 16);
            object = resize(object, kSizes[s]);
            use(resizing[i], object, kSizes[s], 16);
            CHECK(resize(object, 0) == NULL, "%s(p, 0) is not null", resizing[i]);
        }
        ResizeArray resize = (ResizeArray)lookup("reallocarray");
        void* object = resize(NULL, kSizes[s], 3);
        use("reallocarray", object, 3 * kSizes[s], 16);
        free(object);
    }
}

static void check_releasing(void) {
    static const char* const releasing[] = {"free", "cfree", "__libc_free"};
    for (size_t s = 0; s < sizeof kSizes / sizeof *kSizes; ++s) {
        for (size_t i = 0; i < 3; ++i) {
            // cfree is a compat symbol of glibc's: only an unversioned definition answers dlsym.
            Release release = (Release)lookup(releasing[i]);
            release(opaque(malloc(kSizes[s])));
            release(NULL);
        }
        ReleaseSized release = (ReleaseSized)lookup("free_sized");
        release(opaque(malloc(kSizes[s])), kSizes[s]);
        release(NULL, 0);
        ReleaseAligned release_aligned = (ReleaseAligned)lookup("free_aligned_sized");
        release_aligned(opaque(aligned_alloc(128, kSizes[s])), 128, kSizes[s]);
        release_aligned(NULL, 128, 0);
    }
}

static void check_reporting(void) {
    static const char* const reporting[] = {
        "malloc_usable_size", "malloc_trim", "malloc_stats", "malloc_info",
        "mallinfo",           "mallinfo2",   "mallopt"};
    for (size_t i = 0; i < sizeof reporting / sizeof *reporting; ++i) {
        lookup(reporting[i]);
    }
    CHECK(malloc_usable_size(NULL) == 0, "malloc_usable_size(null) is %zu", malloc_usable_size(NULL));
    int trimmed = malloc_trim(0);
    CHECK(trimmed == 0 || trimmed == 1, "malloc_trim gave %d", trimmed);
    CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1, "mallopt refused");
    CHECK(malloc_info(1, stdout) != 0, "malloc_info took options it does not have");
    CHECK(malloc_info(0, stdout) == 0, "malloc_info failed");
    fflush(stdout);
    void* held = opaque(malloc(1 << 20));
    CHECK(mallinfo2().uordblks + mallinfo2().hblkhd >= 1 << 20, "mallinfo2 knows of %zu bytes",
          mallinfo2().uordblks + mallinfo2().hblkhd);
    free(held);
}

int main(void) {
    Dl_info info;
    CHECK(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info), "malloc belongs to no library");
    owner_of_malloc = info.dli_fname;
    check_allocating();
    check_resizing();
    check_releasing();
    check_reporting();
    return 0;
}
