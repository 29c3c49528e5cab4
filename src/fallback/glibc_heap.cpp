// SPDX-License-Identifier: MIT
//
// Tells glibc's chunks by their headers, read through the kernel so that no pointer can fault.
// Must not know hotlane's tiers.
// Called through glibc_heap.h.
//
//     p - 16   size of the block before, or for a mapped chunk its distance from the mapping's start
//     p - 8    size of this chunk, a multiple of 16; the low bits say:
//     p        what malloc returned
#include "fallback/glibc_heap.h"

#include "base/inspect.h"

#include <dlfcn.h>

// Weak: a static program must not pull the dynamic loader in; there glibc's malloc does not exist either.
#pragma weak dlsym

namespace hotlane::glibc_heap {

namespace {

struct ChunkHeader {
    static constexpr size_t kPreviousInUse = 1;
    static constexpr size_t kMapped = 2;
    static constexpr size_t kNonMainArena = 4;

    size_t previous_size;
    size_t size_and_flags;

    size_t size() const { return size_and_flags & ~size_t{7}; }
    bool has(size_t flag) const { return (size_and_flags & flag) != 0; }
};

/// The head of each 64-MiB aligned piece of a non-main arena.
struct HeapInfo {
    uintptr_t arena;
    uintptr_t previous_heap;
    size_t size;
    size_t accessible_size;
};

constexpr size_t kChunkAlignment = 16;
constexpr size_t kSmallestChunk = 32;
constexpr size_t kHeapAlignment = 64 * MiB;

template <typename T>
bool read(uintptr_t from, T& to) {
    return inspect::read_memory(from, &to, sizeof to);
}

/// An allocated chunk says so in the header of the one after it.
bool next_says_in_use(uintptr_t chunk, size_t size) {
    ChunkHeader next{};
    return read(chunk + size, next) && next.has(ChunkHeader::kPreviousInUse);
}

bool is_mapped_chunk(uintptr_t chunk, const ChunkHeader& header) {
    if (header.has(ChunkHeader::kNonMainArena) || header.has(ChunkHeader::kPreviousInUse) ||
        header.previous_size > chunk) {
        return false;
    }
    const uintptr_t start = chunk - header.previous_size;
    const uintptr_t end = chunk + header.size();
    uint8_t last = 0;
    return start % kOsPageSize == 0 && end % kOsPageSize == 0 && end > chunk && read(end - 1, last);
}

bool is_arena_chunk(uintptr_t chunk, const ChunkHeader& header) {
    const uintptr_t heap = round_down(chunk, kHeapAlignment);
    HeapInfo info{};
    if (!read(heap, info) || info.size > info.accessible_size || info.accessible_size > kHeapAlignment ||
        info.size % kOsPageSize != 0 || chunk + header.size() > heap + info.size) {
        return false;
    }
    // The arena's own head lies in its first heap; a later one names the heap before it, of the same arena.
    HeapInfo previous{};
    const bool linked = info.previous_heap == 0
                            ? round_down(info.arena, kOsPageSize) == heap
                            : info.previous_heap % kHeapAlignment == 0 &&
                                  read(info.previous_heap, previous) && previous.arena == info.arena;
    return linked && next_says_in_use(chunk, header.size());
}

bool is_main_chunk(uintptr_t chunk, const ChunkHeader& header) {
    const inspect::ProgramBreak heap = inspect::program_break();
    return chunk >= heap.start && chunk + header.size() < heap.end && next_says_in_use(chunk, header.size());
}

struct Functions {
    void (*free)(void*);
    void* (*realloc)(void*, size_t);
    size_t (*usable_size)(void*);

    bool found() const { return free != nullptr && realloc != nullptr && usable_size != nullptr; }
};

template <typename F>
void look_up(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

/// Looked up anew each time: this is the rarest of paths, and a cache would need an order of its own.
Functions functions() {
    Functions result{};
    if (&dlsym != nullptr) {
        look_up(result.free, "__libc_free");
        look_up(result.realloc, "__libc_realloc");
        look_up(result.usable_size, "malloc_usable_size");
    }
    return result;
}

}  // namespace

bool is_chunk(const void* p) {
    const uintptr_t chunk = address_of(p) - sizeof(ChunkHeader);
    ChunkHeader header{};
    if (address_of(p) % kChunkAlignment != 0 || address_of(p) < kOsPageSize || !read(chunk, header) ||
        header.size() % kChunkAlignment != 0 || header.size() < kSmallestChunk ||
        chunk + header.size() < chunk || !functions().found()) {
        return false;
    }
    if (header.has(ChunkHeader::kMapped)) {
        return is_mapped_chunk(chunk, header);
    }
    return header.has(ChunkHeader::kNonMainArena) ? is_arena_chunk(chunk, header)
                                                  : is_main_chunk(chunk, header);
}

// is_chunk() said yes, so they were found a moment ago; libc does not go away.

void release(void* p) {
    const Functions glibc = functions();
    HOTLANE_CHECK(glibc.found());
    glibc.free(p);
}

size_t usable_size(const void* p) {
    const Functions glibc = functions();
    HOTLANE_CHECK(glibc.found());
    return glibc.usable_size(const_cast<void*>(p));
}

void* reallocate(void* p, size_t bytes) {
    const Functions glibc = functions();
    HOTLANE_CHECK(glibc.found());
    return glibc.realloc(p, bytes);
}

}  // namespace hotlane::glibc_heap
