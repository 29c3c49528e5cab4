// SPDX-License-Identifier: MIT
//
// The functions of os.h on Linux.
#include "platform/os.h"
#include "platform/libc/own_functions.h"

#include "base/atomic_access.h"
#include "base/errno_saver.h"
#include "platform/environment.h"
#include "platform/libc/own_functions.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <link.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The first byte of the ELF file that contains this code. The linker defines it.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;

namespace hotlane::os {

namespace {

void* map_or_null(size_t bytes, int protection, int flags) {
    ErrnoSaver keep;
    void* p = libc::mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
}

}  // namespace

// The answer is kept because libc searches a list for it. Two threads that ask at once store the same.
size_t page_size() {
    constinit static size_t known = 0;
    if (load_relaxed(known) == 0) {
        ErrnoSaver keep;
        store_relaxed(known, std::max(getauxval(AT_PAGESZ), kSmallestOsPage));
    }
    return load_relaxed(known);
}

void* reserve(size_t bytes, size_t alignment) {
    const size_t slack = alignment > page_size() ? alignment : 0;
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

// Passes the address as a hint, which every kernel supports. MAP_FIXED_NOREPLACE is ignored before Linux
// 4.17, and some emulators refuse it.
Reservation reserve_at(uintptr_t at, size_t bytes) {
    ErrnoSaver keep;
    void* p =
        libc::mmap(pointer_to(at), bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        return Reservation::refused;
    }
    if (address_of(p) != at) {
        libc::munmap(p, bytes);
        return Reservation::occupied;
    }
    return Reservation::granted;
}

void unreserve(void* p, size_t bytes) {
    if (bytes != 0) {
        unmap(p, bytes);
    }
}

bool commit(void* p, size_t bytes) {
    ErrnoSaver keep;
    return libc::mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0;
}

bool block(void* p, size_t bytes) {
    ErrnoSaver keep;
    return libc::mprotect(p, bytes, PROT_NONE) == 0;
}

void* map(size_t bytes) { return map_or_null(bytes, PROT_READ | PROT_WRITE, 0); }

void unmap(void* p, size_t bytes) {
    ErrnoSaver keep;
    libc::munmap(p, bytes);
}

bool purge(void* p, size_t bytes) {
    ErrnoSaver keep;
    return libc::madvise(p, bytes, MADV_DONTNEED) == 0;
}

void advise_huge(void* p, size_t bytes, bool huge) {
    ErrnoSaver keep;
    libc::madvise(p, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

size_t memory_limit() {
    ErrnoSaver keep;
    size_t least = SIZE_MAX;
    for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
        rlimit limit{};
        if (libc::getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
            least = std::min<size_t>(least, limit.rlim_cur);
        }
    }
    return least;
}

uint64_t random_word() {
    ErrnoSaver keep;
    uint64_t word = 0;
    if (libc::getrandom(&word, sizeof word, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof word)) {
        // This happens early in the boot, or if a filter forbids the call. Then the address of the stack and
        // the time have to do.
        word = (address_of(&word) ^ monotonic_ns()) * 0x9E3779B97F4A7C15;
        word ^= word >> 32;
    }
    return word;
}

namespace {

uint64_t read_clock(clockid_t clock) {
    timespec now{};
    libc::clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

uint64_t monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }
uint64_t real_time_ns() { return read_clock(CLOCK_REALTIME); }
uint64_t coarse_ns() { return read_clock(CLOCK_MONOTONIC_COARSE); }

size_t peak_rss_bytes() {
    rusage usage{};
    return libc::getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<size_t>(usage.ru_maxrss) * KiB : 0;
}

unsigned cpu_count() {
    static constinit std::atomic<unsigned> known{0};
    unsigned count = known.load(std::memory_order_relaxed);
    if (count == 0) {
        cpu_set_t set;
        ErrnoSaver keep;
        count =
            libc::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
        known.store(count, std::memory_order_relaxed);
    }
    return count;
}

unsigned processor() {
    ErrnoSaver keep;
    return static_cast<unsigned>(std::max(libc::sched_getcpu(), 0));
}

int process_id() { return libc::getpid(); }

uint32_t thread_id() { return static_cast<uint32_t>(libc::gettid()); }

bool thread_is_leaving() {
    ErrnoSaver keep;
    constexpr int kOwnSignal = 32;  // SIGCANCEL: libc removes it from every mask that a program sets
    uint64_t blocked = 0;
    return libc::syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &blocked, sizeof blocked) == 0 &&
           (blocked >> (kOwnSignal - 1) & 1) != 0;
}

bool is_privileged() { return getauxval(AT_SECURE) != 0; }

bool in_shared_object() { return address_of(&__ehdr_start) + __ehdr_start.e_phoff != getauxval(AT_PHDR); }

// Does not use getenv(), which may be interposed. Before libc is set up, `environ` is null.
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

namespace {

HOTLANE_DATA_OF_EVERY_PROCESS constinit char name_at_start[64] = {};

/// Replaces control characters, so that the result is safe in a file name and on a terminal.
char as_plain(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '_' : c; }

}  // namespace

void remember_program_name() {
    const char* path = first_argument();
    const char* slash = strrchr(path, '/');
    const char* name = slash != nullptr ? slash + 1 : path;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        name = "?";
    }
    const size_t length = strnlen(name, sizeof name_at_start - 1);
    std::transform(name, name + length, name_at_start, as_plain);
    name_at_start[length] = '\0';
}

void program_name(char* out, size_t capacity) {
    if (name_at_start[0] == '\0') {
        remember_program_name();
    }
    const size_t length = strnlen(name_at_start, capacity - 1);
    memcpy(out, name_at_start, length);
    out[length] = '\0';
}

void program_path(char* out, size_t capacity) {
    ErrnoSaver keep;
    const ssize_t length = libc::readlink("/proc/self/exe", out, capacity - 1);
    out[std::max<ssize_t>(length, 0)] = '\0';
}

bool on_signal(int number, void (*handler)(int)) {
    ErrnoSaver keep;
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    return libc::sigaction(number, &action, nullptr) == 0;
}

void wait_on(const uint32_t* word, uint32_t while_equal) {
    ErrnoSaver keep;
    libc::syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, while_equal, nullptr, nullptr, 0);
}

void wake_one(const uint32_t* word) {
    ErrnoSaver keep;
    libc::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// A futex that nobody wakes: a program with threads needs futexes anyway, so a sandbox allows them. It may not allow
// nanosleep. This is no cancellation point either.
void sleep_ns(uint64_t duration) {
    ErrnoSaver keep;
    const uint64_t end = monotonic_ns() + duration;
    const timespec deadline{static_cast<time_t>(end / 1'000'000'000), static_cast<long>(end % 1'000'000'000)};
    const uint32_t never_changes = 0;
    while (libc::syscall(SYS_futex, &never_changes, FUTEX_WAIT_BITSET_PRIVATE, 0, &deadline, nullptr,
                         FUTEX_BITSET_MATCH_ANY) != 0 &&
           errno == EINTR) {
    }
}

void pause_briefly() { sleep_ns(20'000); }

namespace {

struct ProcessState {
    char of_main = '?';  // state of the main thread; 'Z': it has ended and waits for the others
    unsigned threads = 0;
};

/// Reads the third and the twentieth word of /proc/self/stat. The second word, the program's name, may
/// contain spaces, but it ends with the last ')'.
ProcessState process_state() {
    char text[512];
    const long length = read_file("/proc/self/stat", text, sizeof text - 1);
    text[std::max(length, 0L)] = '\0';
    const char* word = strrchr(text, ')');
    if (word == nullptr || word[1] == '\0') {
        return {};
    }
    ProcessState state{.of_main = word[2]};
    constexpr int kNameIndex = 2;
    constexpr int kThreadsIndex = 20;
    for (int index = kNameIndex; index < kThreadsIndex && word != nullptr; ++index) {
        word = strchr(word + 1, ' ');
    }
    for (const char* digit = word != nullptr ? word + 1 : ""; *digit >= '0' && *digit <= '9'; ++digit) {
        state.threads = state.threads * 10 + static_cast<unsigned>(*digit - '0');
    }
    return state;
}

}  // namespace

unsigned thread_count() { return process_state().threads; }

bool is_only_thread_left() {
    const ProcessState state = process_state();
    return state.of_main == 'Z' && state.threads == 2;
}

bool start_thread(void (*body)()) {
    ErrnoSaver keep;
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
    // Signals must be delivered to the program's threads. The new thread inherits the mask.
    libc::pthread_sigmask(SIG_SETMASK, &all, &before);
    const auto run = [](void* argument) -> void* {
        pthread_setname_np(pthread_self(), "hotlane");
        reinterpret_cast<void (*)()>(argument)();
        return nullptr;
    };
    const bool created = pthread_create(&thread, &attributes, run, reinterpret_cast<void*>(body)) == 0;
    libc::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    return created;
}

HOTLANE_IN_EVERY_PROCESS void announce_barriers() {
    ErrnoSaver keep;
    libc::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

bool barrier_all_threads() {
    ErrnoSaver keep;
    return libc::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void abort_process() { abort(); }

}  // namespace hotlane::os
