// SPDX-License-Identifier: MIT
// Trap: operator new compiled as C aborts or returns null if there is no memory; a retry after the
// new-handler forgets the alignment; or a nothrow form lets the handler's exception through.
#include "check.h"

#include <initializer_list>
#include <new>
#include <sys/resource.h>

namespace {

volatile size_t impossible = SIZE_MAX / 2 + 1;
int handler_calls;
rlimit unlimited;

template <typename Call>
void expect_bad_alloc(const char* name, Call call) {
    try {
        void* object = opaque(call());
        CHECK(false, "%s returned %p", name, object);
    } catch (const std::bad_alloc&) {
    }
}

void limit_address_space() {
    rlimit limit = unlimited;
    limit.rlim_cur = (status_kib("VmSize:") << 10) + (32 << 20);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit failed");
}

// Gives up on the third call, like a program that has nothing left to release.
void throwing_handler() {
    if (++handler_calls == 3) {
        throw std::bad_alloc();
    }
}

// Makes the retry succeed, like a program that has released something.
void lifting_handler() {
    ++handler_calls;
    CHECK(setrlimit(RLIMIT_AS, &unlimited) == 0, "setrlimit failed");
}

void check_throws() {
    expect_bad_alloc("new", [] { return operator new(impossible); });
    expect_bad_alloc("new[]", [] { return operator new[](impossible); });
    expect_bad_alloc("aligned new", [] { return operator new (impossible, std::align_val_t{4096}); });
    expect_bad_alloc("aligned new[]", [] { return operator new[](impossible, std::align_val_t{64}); });
}

void check_nothrow_gives_null() {
    CHECK(!opaque(operator new(impossible, std::nothrow)), "nothrow new is not null");
    CHECK(!opaque(operator new[](impossible, std::nothrow)), "nothrow new[] is not null");
    CHECK(!opaque(operator new (impossible, std::align_val_t{64}, std::nothrow)),
          "aligned nothrow new is not null");
    CHECK(!opaque(operator new[](impossible, std::align_val_t{64}, std::nothrow)),
          "aligned nothrow new[] is not null");
}

void check_handler_is_called_until_it_throws() {
    std::set_new_handler(throwing_handler);
    handler_calls = 0;
    expect_bad_alloc("new with a handler", [] { return operator new(impossible); });
    CHECK(handler_calls == 3, "the handler was called %d times", handler_calls);
    handler_calls = 0;
    CHECK(!opaque(operator new(impossible, std::nothrow)), "nothrow new let the handler decide");
    CHECK(handler_calls == 3, "nothrow new called the handler %d times", handler_calls);
    handler_calls = 0;
    CHECK(!opaque(operator new (impossible, std::align_val_t{256}, std::nothrow)),
          "aligned nothrow new is not null");
    CHECK(handler_calls == 3, "aligned nothrow new called the handler %d times", handler_calls);
    std::set_new_handler(nullptr);
}

// Each request is larger than all before it together, so memory that an allocator kept cannot serve it.
template <typename Allocate>
void expect_one_retry(size_t size, size_t alignment, Allocate allocate) {
    handler_calls = 0;
    limit_address_space();
    void* object = opaque(allocate(size));
    CHECK(handler_calls == 1, "%zu bytes: the handler was called %d times", size, handler_calls);
    CHECK(reinterpret_cast<uintptr_t>(object) % alignment == 0, "the retry gave %p for alignment %zu", object,
          alignment);
    operator delete (object, std::align_val_t{alignment});
}

void check_retry_after_handler() {
    std::set_new_handler(lifting_handler);
    size_t size = 64 << 20;
    for (const size_t alignment : {size_t{16}, size_t{4096}, size_t{1} << 21, size_t{1} << 23}) {
        expect_one_retry(size, alignment,
                         [=](size_t n) { return operator new (n, std::align_val_t{alignment}); });
        size = size * 21 / 10;
    }
    expect_one_retry(size, 16, [](size_t n) { return operator new(n); });
    std::set_new_handler(nullptr);
}

}  // namespace

int main() {
    CHECK(getrlimit(RLIMIT_AS, &unlimited) == 0, "getrlimit failed");
    check_throws();
    check_nothrow_gives_null();
    check_handler_is_called_until_it_throws();
    check_retry_after_handler();
    return 0;
}
