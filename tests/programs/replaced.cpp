// SPDX-License-Identifier: MIT
// Trap: a program may replace some functions of malloc and operator new. The standard and libc define which
// of the others call them. An object that such a function returned must come back to its partner, and be
// counted there. Here each replaced pair writes its own mark before its objects and checks for it when they
// come back.
//
// REPLACED names the replaced functions: SCALAR (operator new and delete alone), ARRAY, NOTHROW, ALIGNED,
// MALLOC (malloc, calloc, realloc and free).
//
// usage: replaced [aligned]: with the aligned forms also where libc's own fail, because MALLOC has no
// aligned_alloc
#include "check.h"

#include <atomic>
#include <cstddef>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#define SCALAR 1
#define ARRAY 2
#define NOTHROW 4
#define ALIGNED 8
#define MALLOC 16

namespace {

struct Pair {
    uint64_t mark;
    std::atomic<long> taken{0};
    std::atomic<long> returned{0};
};
Pair scalar{.mark = 0x5ca1a5};
Pair array{.mark = 0xa55a4};
Pair aligned{.mark = 0xa119};
Pair heap{.mark = 0x4ea9};

struct Header {
    alignas(64) uint64_t mark;
    size_t size;
};

[[maybe_unused]] void* mark(Pair& pair, void* memory, size_t size) {
    CHECK(memory, "no memory");
    auto* header = static_cast<Header*>(memory);
    header->mark = pair.mark;
    header->size = size;
    ++pair.taken;
    return header + 1;
}

[[maybe_unused]] void* unmark(Pair& pair, void* object) {
    Header* header = static_cast<Header*>(object) - 1;
    CHECK(header->mark == pair.mark, "an object of another comes back: %p", object);
    header->mark = 0;
    ++pair.returned;
    return header;
}

}  // namespace

#if REPLACED & MALLOC
// A heap that never frees, so that an object of another malloc is recognised at once.
namespace {
alignas(64) char arena[64 << 20];
std::atomic<size_t> arena_used{0};
}  // namespace

extern "C" void* malloc(size_t n) noexcept {
    const size_t bytes = sizeof(Header) + (n + 63) / 64 * 64;
    return mark(heap, arena + arena_used.fetch_add(bytes), n);
}
extern "C" void free(void* p) noexcept {
    if (p != nullptr) {
        unmark(heap, p);
    }
}
extern "C" void* calloc(size_t count, size_t size) noexcept { return malloc(count * size); }
extern "C" void* realloc(void* p, size_t n) noexcept {
    void* fresh = malloc(n);
    if (p != nullptr) {
        const size_t size = (static_cast<Header*>(p) - 1)->size;
        memcpy(fresh, p, size < n ? size : n);
        free(p);
    }
    return fresh;
}
#endif

#if REPLACED & SCALAR
void* operator new(size_t n) { return mark(scalar, malloc(n + sizeof(Header)), n); }
void operator delete(void* p) noexcept {
    if (p != nullptr) {
        free(unmark(scalar, p));
    }
}
#endif
#if REPLACED & ARRAY
void* operator new[](size_t n) { return mark(array, malloc(n + sizeof(Header)), n); }
void operator delete[](void* p) noexcept {
    if (p != nullptr) {
        free(unmark(array, p));
    }
}
#endif
#if REPLACED & NOTHROW
// The program's own implementation of the default behaviour.
void* operator new(size_t n, const std::nothrow_t&) noexcept { return ::operator new(n); }
void* operator new[](size_t n, const std::nothrow_t&) noexcept { return ::operator new[](n); }
#endif
#if REPLACED & ALIGNED
void* operator new(size_t n, std::align_val_t a) {
    CHECK(static_cast<size_t>(a) <= sizeof(Header), "not asked for here");
    return mark(aligned, aligned_alloc(64, (n + sizeof(Header) + 63) / 64 * 64), n);
}
void operator delete(void* p, std::align_val_t) noexcept {
    if (p != nullptr) {
        free(unmark(aligned, p));
    }
}
#endif

namespace {

void* used(void* object, size_t size) {
    pattern_fill(object, size, 7);
    return opaque(object);
}

/// Every form of new with every form of delete that may follow it.
void use_plain_forms(size_t n) {
    ::operator delete(used(::operator new(n), n));
    ::operator delete(used(::operator new(n), n), n);
    ::operator delete(used(::operator new(n), n), std::nothrow);
    ::operator delete(used(::operator new(n, std::nothrow), n));
    ::operator delete(nullptr);
    ::operator delete[](used(::operator new[](n), n));
    ::operator delete[](used(::operator new[](n), n), n);
    ::operator delete[](used(::operator new[](n), n), std::nothrow);
    ::operator delete[](used(::operator new[](n, std::nothrow), n));
    ::operator delete[](nullptr, n);
}

void use_aligned_forms(size_t n) {
    constexpr std::align_val_t a{64};
    ::operator delete(used(::operator new(n, a), n), a);
    ::operator delete(used(::operator new(n, a), n), n, a);
    ::operator delete(used(::operator new(n, a, std::nothrow), n), a, std::nothrow);
    ::operator delete[](used(::operator new[](n, a), n), a);
    ::operator delete[](used(::operator new[](n, a), n), n, a);
    ::operator delete[](used(::operator new[](n, a, std::nothrow), n), a, std::nothrow);
}

/// libc and libstdc++ allocate and the program frees, or the other way round.
void use_libraries() {
    free(strdup("a text of libc's"));
    char* line = static_cast<char*>(malloc(2));
    size_t room = 2;
    FILE* file = tmpfile();
    CHECK(file && fputs("a line that is longer than two bytes\n", file) >= 0, "no temporary file");
    rewind(file);
    CHECK(getline(&line, &room, file) == 37, "getline read %s", line);
    fclose(file);
    line = static_cast<char*>(reallocarray(line, 1000, 10));
    CHECK(line && strncmp(line, "a line", 6) == 0, "reallocarray lost the line");
    free(line);
    std::ostringstream text;
    for (int i = 0; i < 1000; ++i) {
        text << i << ' ' << std::string(100, 'x') << '\n';
    }
    std::vector<std::string> words(100, text.str().substr(0, 200));
    std::thread([&words] { words.resize(300, std::string(50, 'y')); }).join();
}

void expect(const char* what, long found, long expected) {
    CHECK(found == expected, "%s: %ld instead of %ld", what, found, expected);
}

}  // namespace

int main(int count, char**) {
    constexpr bool has_malloc = (REPLACED & MALLOC) != 0;
    constexpr size_t kSizes[] = {0, 1, 40, 64, 100, 1000, 1024, 1025, 5000, 70000, 1 << 20};
    constexpr long kRounds = std::size(kSizes);
    const bool with_aligned = !has_malloc || count > 1;
    use_libraries();
    const long scalar_before = scalar.taken;
    const long array_before = array.taken;
    const long scalar_returned_before = scalar.returned;
    const long array_returned_before = array.returned;
    const long heap_before = heap.taken;
    for (const size_t n : kSizes) {
        use_plain_forms(n);
        if (with_aligned) {
            use_aligned_forms(n);
        }
    }
    constexpr long kArrays = 4 * kRounds;
    constexpr bool has_array = (REPLACED & ARRAY) != 0;
    const long scalars = (REPLACED & SCALAR) != 0 ? 4 * kRounds + (has_array ? 0 : kArrays) : 0;
    expect("objects of operator new", scalar.taken - scalar_before, scalars);
    expect("objects of operator new[]", array.taken - array_before, has_array ? kArrays : 0);
    expect("objects of aligned new", aligned.taken, (REPLACED & ALIGNED) != 0 ? 6 * kRounds : 0);
    expect("objects of malloc", heap.taken - heap_before, has_malloc ? 8 * kRounds : 0);
    expect("objects that operator delete got", scalar.returned - scalar_returned_before, scalars);
    expect("objects that operator delete[] got", array.returned - array_returned_before,
           array.taken - array_before);
    expect("objects that aligned delete got", aligned.returned, aligned.taken);
    return 0;
}
