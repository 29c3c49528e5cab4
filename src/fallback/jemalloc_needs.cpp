// SPDX-License-Identifier: MIT
//
// What the private jemalloc calls outside libc, answered here (scripts/private_jemalloc renames the
// references). Must not know hotlane's tiers. Called by jemalloc only.
#include "base/base.h"

#include <ctime>
#include <pthread.h>
#include <sys/time.h>

extern "C" {

// fork() takes jemalloc's locks together with ours, in the order of ours: it must not register handlers
// itself.
int private_jemalloc_pthread_atfork(void (*)(), void (*)(), void (*)()) { return 0; }

// Looked up for one name, pthread_create, which is in libc since glibc 2.34. No dlsym: it may allocate, and
// it does not find libc's functions in a static program.
void* private_jemalloc_dlsym(void*, const char*) { return reinterpret_cast<void*>(&pthread_create); }

// libc picks the fastest gettimeofday when it binds the name: every process would pay for that at its start.
int private_jemalloc_gettimeofday(timeval* now, void*) {
    timespec exact{};
    const int failed = clock_gettime(CLOCK_REALTIME, &exact);
    *now = {exact.tv_sec, exact.tv_nsec / 1000};
    return failed;
}

// jemalloc's own profiler is compiled in but can't be turned on (fallback.cpp). It would be the only user of
// libm and of the unwinder; reaching these is a mistake of ours.
[[noreturn]] double private_jemalloc_exp(double) { __builtin_trap(); }
[[noreturn]] double private_jemalloc_log(double) { __builtin_trap(); }
[[noreturn]] double private_jemalloc_round(double) { __builtin_trap(); }
[[noreturn]] int private_jemalloc_Unwind_Backtrace(void*, void*) { __builtin_trap(); }
[[noreturn]] uintptr_t private_jemalloc_Unwind_GetIP(void*) { __builtin_trap(); }

}  // extern "C"
