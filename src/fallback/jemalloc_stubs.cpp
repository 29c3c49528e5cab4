// SPDX-License-Identifier: MIT
//
// Replacements for functions that the private jemalloc calls; scripts/private_jemalloc and
// scripts/jemalloc_from_source rename the calls.
#include "fallback/jemalloc_stubs.h"

#include "sync/thread_end.h"

#include <atomic>
#include <ctime>
#include <pthread.h>
#include <sys/time.h>
#include <utility>

namespace hotlane::fallback {

namespace {
constinit std::atomic<void (*)(void*)> forget_thread{nullptr};
[[gnu::tls_model("initial-exec")]] constinit thread_local void* without_end = nullptr;
}  // namespace

ThreadForgetter::~ThreadForgetter() {
    if (without_end != nullptr) [[unlikely]] {
        forget_thread.load(std::memory_order_relaxed)(std::exchange(without_end, nullptr));
        without_end = nullptr;  // the destructor asked to be called once more, but would do nothing then
    }
}

}  // namespace hotlane::fallback

using namespace hotlane;
using namespace hotlane::fallback;

extern "C" {

// hotlane's fork handlers take jemalloc's locks in the order of all locks, so jemalloc must not register
// handlers itself.
int private_jemalloc_pthread_atfork(void (*)(), void (*)(), void (*)()) { return 0; }

// jemalloc looks up only pthread_create, which is in libc since glibc 2.34. The real dlsym is not used: it
// may allocate, and it does not find libc's functions in a static program.
void* private_jemalloc_dlsym(void*, const char*) { return reinterpret_cast<void*>(&pthread_create); }

// jemalloc keeps pointers into the thread-local storage of the threads that it knows, so it must learn of
// their ends. It has one key and never reads its value.
int private_jemalloc_pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
    *key = 0;
    forget_thread.store(destructor, std::memory_order_relaxed);
    thread_end::declare(thread_end::Part::fallback, destructor);
    return 0;
}

int private_jemalloc_pthread_setspecific(pthread_key_t, void* value) {
    without_end = thread_end::expect(thread_end::Part::fallback, value) ? nullptr : value;
    return 0;
}

// libc chooses the fastest gettimeofday when the name is bound, which would cost time at every start.
int private_jemalloc_gettimeofday(timeval* now, void*) {
    timespec exact{};
    const int failed = clock_gettime(CLOCK_REALTIME, &exact);
    *now = {exact.tv_sec, exact.tv_nsec / 1000};
    return failed;
}

// jemalloc's own profiler is compiled in but cannot be turned on (fallback.cpp). It would be the only user of
// libm and of the unwinder. A call of one of these functions is a bug of hotlane.
[[noreturn]] double private_jemalloc_exp(double) { __builtin_trap(); }
[[noreturn]] double private_jemalloc_log(double) { __builtin_trap(); }
[[noreturn]] double private_jemalloc_round(double) { __builtin_trap(); }
[[noreturn]] int private_jemalloc_Unwind_Backtrace(void*, void*) { __builtin_trap(); }
[[noreturn]] uintptr_t private_jemalloc_Unwind_GetIP(void*) { __builtin_trap(); }

}  // extern "C"
