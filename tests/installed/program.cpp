// SPDX-License-Identifier: MIT
//
// A C++ program that is linked with hotlane: operator new in all its forms, exceptions and threads. It relies only on
// what the standard promises, and on the alignment of small objects to 64 bytes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <vector>

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                     \
            std::exit(1);                                                                                    \
        }                                                                                                    \
    } while (false)

namespace {

bool is_ours(const void* p, std::size_t alignment = 64) {
    return p != nullptr && reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
}

void every_operator() {
    constexpr std::align_val_t kAlignment{256};
    void* p = ::operator new(20);
    EXPECT(is_ours(p));
    ::operator delete (p, std::size_t{20});
    p = ::operator new[](20, std::nothrow);
    EXPECT(is_ours(p));
    ::operator delete[](p, std::nothrow);
    p = ::operator new(20, kAlignment);
    EXPECT(is_ours(p, 256));
    ::operator delete (p, std::size_t{20}, kAlignment);
    p = ::operator new[](20, kAlignment, std::nothrow);
    EXPECT(is_ours(p, 256));
    ::operator delete[](p, kAlignment, std::nothrow);
}

int handler_calls = 0;

void give_up_on_the_third_call() {
    if (++handler_calls == 3) {
        std::set_new_handler(nullptr);
    }
}

void exhaustion_throws() {
    volatile std::size_t too_much = SIZE_MAX / 2;
    EXPECT(::operator new(too_much, std::nothrow) == nullptr);
    std::set_new_handler(give_up_on_the_third_call);
    bool thrown = false;
    try {
        ::operator delete(::operator new(too_much));
    } catch (const std::bad_alloc&) {
        thrown = true;
    }
    EXPECT(thrown);
    EXPECT(handler_calls == 3);
}

void containers_in_threads() {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([] {
            std::map<std::string, std::vector<int>> words;
            for (int i = 0; i < 20'000; ++i) {
                words[std::to_string(i % 500) + " is long enough to be on the heap"].push_back(i);
            }
            EXPECT(words.size() == 500);
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
}

}  // namespace

int main() {
    every_operator();
    exhaustion_throws();
    containers_in_threads();
    std::puts("all of malloc is hotlane's");
}
