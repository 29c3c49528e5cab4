// SPDX-License-Identifier: MIT
//
// The verbs of os.h on Linux.
// Knows nothing of hotlane's tiers.
// Replaced by tests/fake_os.cpp in unit tests.
#include "base/os.h"

#include "base/cancellation_blocker.h"
#include "base/errno_keeper.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <link.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The first byte of the ELF file this code was linked into; the linker defines it.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;

namespace hotlane::os {

namespace {

void* map_or_null(size_t bytes, int protection, int flags) {
    ErrnoKeeper keep;
    void* p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
}

}  // namespace

void* reserve(size_t bytes, size_t alignment) {
    const size_t slack = alignment > kOsPageSize ? alignment : 0;
    void* raw = map_or_null(bytes + slack, PROT_NONE, MAP_NORESERVE);
    if (raw == nullptr || slack == 0) {
        return raw;
    }
    const uintptr_t start = address_of(raw);
    const uintptr_t aligned = round_up(start, alignment);
    if (aligned != start) {
        unmap(raw, aligned - start);
    }
    if (aligned + bytes != start + bytes + slack) {
        unmap(pointer_to(aligned + bytes), start + slack - aligned);
    }
    return pointer_to(aligned);
}

void unreserve(void* p, size_t bytes) {
    if (bytes != 0) {
        unmap(p, bytes);
    }
}

bool commit(void* p, size_t bytes) {
    ErrnoKeeper keep;
    return mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0;
}

void* map(size_t bytes) { return map_or_null(bytes, PROT_READ | PROT_WRITE, 0); }

void unmap(void* p, size_t bytes) {
    ErrnoKeeper keep;
    munmap(p, bytes);
}

bool purge(void* p, size_t bytes) {
    ErrnoKeeper keep;
    return madvise(p, bytes, MADV_DONTNEED) == 0;
}

void advise_huge(void* p, size_t bytes, bool huge) {
    ErrnoKeeper keep;
    madvise(p, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

namespace {

uint64_t read_clock(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

uint64_t monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }
uint64_t real_time_ns() { return read_clock(CLOCK_REALTIME); }
uint64_t coarse_ns() { return read_clock(CLOCK_MONOTONIC_COARSE); }

size_t peak_rss_bytes() {
    rusage usage{};
    return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<size_t>(usage.ru_maxrss) * KiB : 0;
}

unsigned cpu_count() {
    cpu_set_t set;
    ErrnoKeeper keep;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
}

unsigned processor() {
    ErrnoKeeper keep;
    return static_cast<unsigned>(std::max(sched_getcpu(), 0));
}

int process_id() { return getpid(); }

uint32_t thread_id() { return static_cast<uint32_t>(gettid()); }

bool is_privileged() { return getauxval(AT_SECURE) != 0; }

bool in_shared_object() { return address_of(&__ehdr_start) + __ehdr_start.e_phoff != getauxval(AT_PHDR); }

// Not getenv(): it may be interposed, and before libc is set up `environ` is simply null.
const char* environment(const char* name) {
    if (environ == nullptr || is_privileged()) {
        return nullptr;
    }
    const size_t length = strlen(name);
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
            return *entry + length + 1;
        }
    }
    return nullptr;
}

void program_name(char* out, size_t capacity) {
    const char* name = program_invocation_short_name;
    if (name == nullptr) {
        name = "?";
    }
    const size_t length = strnlen(name, capacity - 1);
    memcpy(out, name, length);
    out[length] = '\0';
}

void program_path(char* out, size_t capacity) {
    ErrnoKeeper keep;
    const ssize_t length = readlink("/proc/self/exe", out, capacity - 1);
    out[std::max<ssize_t>(length, 0)] = '\0';
}

uint64_t descriptor_identity(int fd) {
    ErrnoKeeper keep;
    struct stat status {};
    if (fstat(fd, &status) != 0) {
        return 0;
    }
    // Never 0 for an open descriptor: inode numbers and devices are mixed, then the lowest bit is set.
    return ((status.st_dev * 0x9E3779B97F4A7C15) ^ (status.st_ino * 0xC2B2AE3D27D4EB4F) ^ status.st_rdev) | 1;
}

namespace {

/// A reader that has gone must cost the program neither its life nor its exit status: for as long as this
/// exists, SIGPIPE is blocked, and one that we caused is taken away again.
class PipeSignalBlocker {
  public:
    PipeSignalBlocker() {
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~PipeSignalBlocker() {
        if (!was_pending_) {
            const timespec none{};
            sigtimedwait(&pipe_, nullptr, &none);
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    PipeSignalBlocker(const PipeSignalBlocker&) = delete;
    PipeSignalBlocker& operator=(const PipeSignalBlocker&) = delete;

  private:
    sigset_t pipe_;
    sigset_t before_;
    bool was_pending_;
};

}  // namespace

bool write_all(int fd, const char* bytes, size_t count) {
    ErrnoKeeper keep;
    CancellationBlocker uncancelled;
    PipeSignalBlocker blocker;
    while (count > 0) {
        const ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes += written;
        count -= static_cast<size_t>(written);
    }
    return true;
}

int open_for_write(const char* path) {
    CancellationBlocker uncancelled;
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

long read_file(const char* path, char* out, size_t capacity) {
    ErrnoKeeper keep;
    CancellationBlocker uncancelled;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    size_t total = 0;
    ssize_t count = 0;
    while (total < capacity && (count = read(fd, out + total, capacity - total)) > 0) {
        total += static_cast<size_t>(count);
    }
    close(fd);
    return count < 0 ? -1 : static_cast<long>(total);
}

bool copy_file(const char* path, int fd) {
    ErrnoKeeper keep;
    CancellationBlocker uncancelled;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return false;
    }
    char bytes[2048];
    ssize_t count = 0;
    bool good = true;
    while (good && (count = read(from, bytes, sizeof bytes)) > 0) {
        good = write_all(fd, bytes, static_cast<size_t>(count));
    }
    close(from);
    return good && count == 0;
}

bool close_file(int fd) {
    CancellationBlocker uncancelled;
    return close(fd) == 0;
}

bool is_special_file(const char* path) {
    ErrnoKeeper keep;
    struct stat status {};
    return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

bool rename_file(const char* from, const char* to) { return rename(from, to) == 0; }
bool remove_file(const char* path) { return unlink(path) == 0; }

bool on_signal(int number, void (*handler)(int)) {
    ErrnoKeeper keep;
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    return sigaction(number, &action, nullptr) == 0;
}

void wait_on(const uint32_t* word, uint32_t while_equal) {
    ErrnoKeeper keep;
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, while_equal, nullptr, nullptr, 0);
}

void wake_one(const uint32_t* word) {
    ErrnoKeeper keep;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void yield_cpu() { sched_yield(); }

void sleep_ns(uint64_t duration) {
    ErrnoKeeper keep;
    timespec left{static_cast<time_t>(duration / 1'000'000'000), static_cast<long>(duration % 1'000'000'000)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

bool start_thread(void (*body)()) {
    ErrnoKeeper keep;
    constexpr size_t kStackBytes = 256 * KiB;
    sigset_t all;
    sigset_t before;
    pthread_attr_t attributes;
    pthread_t thread{};
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    // The program's signals are for the program's threads; a new thread inherits the mask.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const auto run = [](void* argument) -> void* {
        pthread_setname_np(pthread_self(), "hotlane");
        reinterpret_cast<void (*)()>(argument)();
        return nullptr;
    };
    const bool created = pthread_create(&thread, &attributes, run, reinterpret_cast<void*>(body)) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    return created;
}

void announce_barriers() {
    ErrnoKeeper keep;
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

bool barrier_all_threads() {
    ErrnoKeeper keep;
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void abort_process() { abort(); }

}  // namespace hotlane::os
