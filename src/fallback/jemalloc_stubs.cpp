// SPDX-License-Identifier: MIT
//
// Replacements for functions that the private jemalloc calls; scripts/private_jemalloc and
// scripts/jemalloc_from_source rename the calls.
#include "fallback/jemalloc_stubs.h"

#include "platform/libc/own_functions.h"
#include "platform/os.h"
#include "sync/thread_end.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <ctime>
#include <pthread.h>
#include <sched.h>
#include <string_view>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace hotlane::fallback {

namespace {
constinit std::atomic<void (*)(void*)> forget_thread{nullptr};
[[gnu::tls_model("initial-exec")]] constinit thread_local void* without_end = nullptr;

/// A file that jemalloc reads when it starts, and what it finds there. A program may be in a sandbox by then that ends
/// the process for opening a file.
struct KnownFile {
    int descriptor;  // none that the system would give
    std::string_view path;
    std::string_view contents;
};
constexpr KnownFile kKnownFiles[] = {
    // Whether addresses are promised without memory behind them. Where they are not, the kernel ignores what jemalloc
    // asks for because of this answer.
    {-2, "/proc/sys/vm/overcommit_memory", "0"},
    // jemalloc asks for 2-MiB pages only if MALLOC_CONF says so; otherwise the extent hooks and the region do.
    {-3, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"},
};

const KnownFile* known_file(long descriptor) {
    const auto* file = std::ranges::find(kKnownFiles, descriptor, &KnownFile::descriptor);
    return file == std::end(kKnownFiles) ? nullptr : file;
}

long open_known(const char* path) {
    const auto* file = std::ranges::find(kKnownFiles, std::string_view{path}, &KnownFile::path);
    if (file == std::end(kKnownFiles)) {
        errno = ENOENT;
        return -1;
    }
    return file->descriptor;
}

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
    const int failed = libc::clock_gettime(CLOCK_REALTIME, &exact);
    *now = {exact.tv_sec, exact.tv_nsec / 1000};
    return failed;
}

// jemalloc would read options from the link /etc/malloc.conf, which is meant for other copies of it.
ssize_t private_jemalloc_readlink(const char*, char*, size_t) {
    errno = ENOENT;
    return -1;
}

// It counts processors to know whether it pays to spin.
int private_jemalloc_sched_getaffinity(pid_t, size_t bytes, cpu_set_t* set) {
    memset(set, 0, bytes);
    for (unsigned i = 0; i < std::min<unsigned>(os::cpu_count(), CPU_SETSIZE); ++i) {
        CPU_SET(i, set);
    }
    return 0;
}

// It opens, reads and closes the files above and writes messages by system calls with up to four arguments.
long private_jemalloc_syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    const long first = va_arg(list, long);
    const long second = va_arg(list, long);
    const long third = va_arg(list, long);
    va_end(list);
    const KnownFile* const file = known_file(static_cast<int>(first));
    switch (number) {
#ifdef SYS_open
    case SYS_open:
        return open_known(static_cast<const char*>(pointer_to(static_cast<uintptr_t>(first))));
#endif
    case SYS_openat:
        return open_known(static_cast<const char*>(pointer_to(static_cast<uintptr_t>(second))));
    case SYS_read:
        if (file != nullptr) {
            return static_cast<long>(file->contents.copy(
                static_cast<char*>(pointer_to(static_cast<uintptr_t>(second))), static_cast<size_t>(third)));
        }
        break;
    case SYS_close:
        if (file != nullptr) {
            return 0;
        }
        break;
    default:
        break;
    }
    return libc::syscall(number, first, second, third);
}

// A program or a preloaded library may define these, too, and allocate in its own definitions.
int private_jemalloc_clock_gettime(clockid_t clock, timespec* now) { return libc::clock_gettime(clock, now); }
int private_jemalloc_madvise(void* p, size_t bytes, int advice) { return libc::madvise(p, bytes, advice); }
void* private_jemalloc_mmap(void* p, size_t bytes, int protection, int flags, int file, off_t offset) {
    return libc::mmap(p, bytes, protection, flags, file, offset);
}
int private_jemalloc_mprotect(void* p, size_t bytes, int protection) {
    return libc::mprotect(p, bytes, protection);
}
int private_jemalloc_munmap(void* p, size_t bytes) { return libc::munmap(p, bytes); }
int private_jemalloc_pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) {
    return libc::pthread_mutex_init(mutex, attributes);
}
int private_jemalloc_pthread_mutex_lock(pthread_mutex_t* mutex) { return libc::pthread_mutex_lock(mutex); }
int private_jemalloc_pthread_mutex_trylock(pthread_mutex_t* mutex) {
    return libc::pthread_mutex_trylock(mutex);
}
int private_jemalloc_pthread_mutex_unlock(pthread_mutex_t* mutex) {
    return libc::pthread_mutex_unlock(mutex);
}
int private_jemalloc_sched_getcpu() { return libc::sched_getcpu(); }
int private_jemalloc_sched_yield() { return libc::sched_yield(); }

// jemalloc's own profiler is compiled in but cannot be turned on (fallback.cpp). It would be the only user of
// libm and of the unwinder. A call of one of these functions is a bug of hotlane.
[[noreturn]] double private_jemalloc_exp(double) { __builtin_trap(); }
[[noreturn]] double private_jemalloc_log(double) { __builtin_trap(); }
[[noreturn]] double private_jemalloc_round(double) { __builtin_trap(); }
[[noreturn]] int private_jemalloc_Unwind_Backtrace(void*, void*) { __builtin_trap(); }
[[noreturn]] uintptr_t private_jemalloc_Unwind_GetIP(void*) { __builtin_trap(); }

}  // extern "C"
