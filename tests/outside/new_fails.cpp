// SPDX-License-Identifier: MIT
// operator new without memory: bad_alloc, null from nothrow, the chain of new-handlers, and handlers that
// free something or throw. Afterwards everything works again. The limit is set at run time.
#include "outside.h"

#include <new>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace {

constexpr size_t kTooMuch = 3UL << 30;
void* reserve = nullptr;
int calls = 0;

void second() {
    ++calls;
    std::set_new_handler(nullptr);
}

void first() {
    ++calls;
    free(reserve);
    reserve = nullptr;
    std::set_new_handler(second);
}

void thrower() { throw std::runtime_error("from the handler"); }

template <typename Function>
const char* outcome(Function function) {
    try {
        return function() ? "memory" : "null";
    } catch (const std::bad_array_new_length&) {
        return "bad_array_new_length";
    } catch (const std::bad_alloc&) {
        return "bad_alloc";
    } catch (const std::exception&) {
        return "another exception";
    }
}

void fail_in_every_form() {
    volatile size_t most = SIZE_MAX / 2;
    SAY("plain: %s\n", outcome([] { return ::operator new(kTooMuch); }));
    SAY("array: %s\n", outcome([] { return ::operator new[](kTooMuch); }));
    SAY("nothrow: %s\n", outcome([] { return ::operator new(kTooMuch, std::nothrow); }));
    SAY("nothrow array: %s\n", outcome([] { return ::operator new[](kTooMuch, std::nothrow); }));
    SAY("aligned: %s\n", outcome([] { return ::operator new(kTooMuch, std::align_val_t(4096)); }));
    SAY("aligned nothrow: %s\n",
        outcome([] { return ::operator new(kTooMuch, std::align_val_t(4096), std::nothrow); }));
    SAY("too many: %s\n", outcome([&] { return new int[most]; }));
    SAY("container: %s\n", outcome([] { return !std::vector<char>(kTooMuch).empty(); }));
}

}  // namespace

int main() {
    const rlimit limit = {1900UL << 20, 1900UL << 20};
    setrlimit(RLIMIT_AS, &limit);
    fail_in_every_form();

    reserve = malloc(1UL << 30);
    std::set_new_handler(first);
    SAY("reserve: %d\n", reserve != nullptr);
    // Not larger than the reserve, because freed memory may keep its addresses, which count for the limit.
    void* served = opaque(::operator new(1000UL << 20, std::nothrow));
    SAY("with a reserve: %d, calls: %d\n", served != nullptr, calls);
    ::operator delete(served);
    SAY("chain: %s, ", outcome([] { return ::operator new(kTooMuch); }));
    SAY("calls: %d\n", calls);
    std::set_new_handler(thrower);
    SAY("throwing handler: %s\n", outcome([] { return ::operator new(kTooMuch); }));
    SAY("nothrow, throwing handler: %s\n", outcome([] { return ::operator new(1UL << 62); }));
    std::set_new_handler(nullptr);
    std::thread([] { fail_in_every_form(); }).join();
    SAY("memory is fine: %d\n", churn(5000));
    return 0;
}
