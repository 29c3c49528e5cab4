// SPDX-License-Identifier: MIT
//
// Calls libc's own functions, past a program or a preloaded library that defines functions of these names. Such a
// definition may allocate: libfaketime's clock_gettime does, and so may a wrapper of mmap that writes a trace. It would
// then enter hotlane while hotlane serves a request, perhaps with locks held. glibc's malloc does not pass through such
// definitions either.
#pragma once

#include "base/base.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace hotlane::libc {

/// Returns the address of the function that libc.so itself defines, or null if the program is static or libc.so has no
/// such function. Allocates nothing, takes no lock and calls nothing that can be interposed. Takes a few hundred
/// instructions.
void* own_definition(const char* name);

/// The name of a function, as a template argument: a pointer to the name would have to be relocated at every start.
template <size_t bytes>
struct Name {
    char text[bytes];
    // NOLINTNEXTLINE(google-explicit-constructor): so that a literal can be the argument
    consteval Name(const char (&name)[bytes]) { std::copy_n(name, bytes, text); }
};

/// A function of libc. `linked` is what the name is bound to, which is called if libc.so has no definition.
template <Name name, auto linked>
class Function {
  public:
    template <typename... Arguments>
    auto operator()(Arguments... arguments) const {
        const auto own = definition();
        return own != nullptr ? own(arguments...) : linked(arguments...);
    }

  private:
    /// Null if there is none. Threads that look it up at once find the same.
    decltype(linked) definition() const {
        uintptr_t found = found_.load(std::memory_order_relaxed);
        if (found == kUnknown) [[unlikely]] {
            void* const own = own_definition(name.text);
            found = own != nullptr ? address_of(own) : kNone;
            found_.store(found, std::memory_order_relaxed);
        }
        return found != kNone ? reinterpret_cast<decltype(linked)>(found) : nullptr;
    }

    static constexpr uintptr_t kUnknown = 0;
    static constexpr uintptr_t kNone = 1;

    mutable std::atomic<uintptr_t> found_{kUnknown};
};

inline constinit const Function<"clock_gettime", &::clock_gettime> clock_gettime;
inline constinit const Function<"close", &::close> close;
inline constinit const Function<"fallocate", &::fallocate> fallocate;
inline constinit const Function<"fchmod", &::fchmod> fchmod;
inline constinit const Function<"fcntl", &::fcntl> fcntl;
inline constinit const Function<"fstat", &::fstat> fstat;
inline constinit const Function<"geteuid", &::geteuid> geteuid;
inline constinit const Function<"getpid", &::getpid> getpid;
inline constinit const Function<"getrandom", &::getrandom> getrandom;
inline constinit const Function<"getrlimit", &::getrlimit> getrlimit;
inline constinit const Function<"getrusage", &::getrusage> getrusage;
inline constinit const Function<"gettid", &::gettid> gettid;
inline constinit const Function<"lstat", &::lstat> lstat;
inline constinit const Function<"madvise", &::madvise> madvise;
inline constinit const Function<"mkdir", &::mkdir> mkdir;
inline constinit const Function<"mmap", &::mmap> mmap;
inline constinit const Function<"mprotect", &::mprotect> mprotect;
inline constinit const Function<"munmap", &::munmap> munmap;
inline constinit const Function<"openat", &::openat> openat;
inline constinit const Function<"open", &::open> open;
inline constinit const Function<"prctl", &::prctl> prctl;
inline constinit const Function<"pread", &::pread> pread;
inline constinit const Function<"process_vm_readv", &::process_vm_readv> process_vm_readv;
inline constinit const Function<"process_vm_writev", &::process_vm_writev> process_vm_writev;
inline constinit const Function<"pthread_getspecific", &::pthread_getspecific> pthread_getspecific;
inline constinit const Function<"pthread_key_create", &::pthread_key_create> pthread_key_create;
inline constinit const Function<"pthread_key_delete", &::pthread_key_delete> pthread_key_delete;
inline constinit const Function<"pthread_mutex_init", &::pthread_mutex_init> pthread_mutex_init;
inline constinit const Function<"pthread_mutex_lock", &::pthread_mutex_lock> pthread_mutex_lock;
inline constinit const Function<"pthread_mutex_trylock", &::pthread_mutex_trylock> pthread_mutex_trylock;
inline constinit const Function<"pthread_mutex_unlock", &::pthread_mutex_unlock> pthread_mutex_unlock;
inline constinit const Function<"pthread_setcancelstate", &::pthread_setcancelstate> pthread_setcancelstate;
inline constinit const Function<"pthread_setspecific", &::pthread_setspecific> pthread_setspecific;
inline constinit const Function<"pthread_sigmask", &::pthread_sigmask> pthread_sigmask;
inline constinit const Function<"readlinkat", &::readlinkat> readlinkat;
inline constinit const Function<"readlink", &::readlink> readlink;
inline constinit const Function<"readv", &::readv> readv;
inline constinit const Function<"read", &::read> read;
inline constinit const Function<"rename", &::rename> rename;
inline constinit const Function<"sched_getaffinity", &::sched_getaffinity> sched_getaffinity;
inline constinit const Function<"sched_getcpu", &::sched_getcpu> sched_getcpu;
inline constinit const Function<"sched_yield", &::sched_yield> sched_yield;
inline constinit const Function<"sigaction", &::sigaction> sigaction;
inline constinit const Function<"sigpending", &::sigpending> sigpending;
inline constinit const Function<"sigtimedwait", &::sigtimedwait> sigtimedwait;
inline constinit const Function<"stat", &::stat> stat;
inline constinit const Function<"syscall", &::syscall> syscall;
inline constinit const Function<"unlinkat", &::unlinkat> unlinkat;
inline constinit const Function<"unlink", &::unlink> unlink;
inline constinit const Function<"write", &::write> write;

}  // namespace hotlane::libc
