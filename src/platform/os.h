// SPDX-License-Identifier: MIT
//
// The only door to the kernel and to libc's system calls: a dozen verbs with stated conditions.
// Knows nothing of hotlane's tiers. Linked away by tests/unit/fake_os.cpp, which fails and moves time at
// will. Called by region, metadata, fallback, observe and process.
#pragma once

#include "base/base.h"

namespace hotlane {

/// What became of addresses that were asked for.
enum class Reservation : uint8_t { granted, occupied, refused };

namespace os {

/// Address space without memory (PROT_NONE, not charged), or null. `alignment` is a power of two.
void* reserve(size_t bytes, size_t alignment);
/// The same at exactly this address. `occupied`: something lies there, or the system puts mappings where it
/// likes.
[[nodiscard]] Reservation reserve_at(uintptr_t at, size_t bytes);
/// Gives reserved address space back. `p` and `bytes` as they were reserved, or a part of it.
void unreserve(void* p, size_t bytes);
/// Makes reserved OS pages readable and writable; they read as zero until written. False: refused, nothing
/// changed.
[[nodiscard]] bool commit(void* p, size_t bytes);
/// The opposite: no access any more; contents stay, for a later commit(). False: refused, nothing changed.
[[nodiscard]] bool block(void* p, size_t bytes);
/// Readable, writable, zero pages of their own, or null.
void* map(size_t bytes);
void unmap(void* p, size_t bytes);
/// Returns the memory of committed OS pages at once; they read as zero afterwards. False: refused, contents
/// kept.
[[nodiscard]] bool purge(void* p, size_t bytes);
/// Asks for 2-MiB pages (or asks for none). Advice: a refusal has no consequence.
void advise_huge(void* p, size_t bytes, bool huge);

/// How many bytes of memory this process may have at most, by its limits as they are now; SIZE_MAX: no limit.
size_t memory_limit();
/// A number that nobody can foresee. Never waits.
uint64_t random_word();

/// CLOCK_MONOTONIC, nanoseconds.
uint64_t monotonic_ns();
/// CLOCK_REALTIME, nanoseconds since 1970.
uint64_t real_time_ns();
/// The same clock as monotonic_ns() as of the last timer tick: a few milliseconds coarse, a few nanoseconds
/// to read.
uint64_t coarse_ns();
/// Peak resident set of this process, bytes; 0 when unknown.
size_t peak_rss_bytes();
unsigned cpu_count();
/// The number of the processor this runs on, and may have left since. A few nanoseconds.
unsigned processor();
int process_id();
/// The kernel's id of the calling thread.
uint32_t thread_id();
/// Whether the calling thread is past its destructors, where libc only cleans up after it: it has blocked
/// signals then that no program can block. A system call.
bool thread_is_leaving();

/// The value of an environment variable, or null. Null always when the process is privileged (AT_SECURE).
const char* environment(const char* name);
bool is_privileged();
/// Whether this code came in a shared object (preloaded or linked), not in the executable itself.
bool in_shared_object();
/// Takes the program's name now: the base name of its first argument. Later the program may have overwritten
/// its arguments, with what others sent it.
void remember_program_name();
/// The name as it was then, cut at capacity-1 bytes, always terminated. It is a name for a file, too: it has
/// no slash and no control character, and is neither empty nor "." nor "..".
void program_name(char* out, size_t capacity);

/// The file of the running program, cut at capacity-1 bytes, always terminated; empty when unknown.
void program_path(char* out, size_t capacity);

/// What a descriptor stands for, so that a later look can tell whether it is still the same. 0: closed.
uint64_t descriptor_identity(int fd);
/// Writes all of it, through short writes and EINTR. False, with errno, on any other error.
bool write_all(int fd, const char* bytes, size_t count);

// Files that are written. None of these verbs follows a link in the last part of a path, waits for another
// process to open the file, or leaves a descriptor to a program that is executed.

/// What a name in the file system stands for.
enum class FileKind : uint8_t {
    none,
    regular,
    link,
    character_device,
    block_device,
    directory,
    fifo,
    socket
};
struct FileStatus {
    FileKind kind = FileKind::none;
    unsigned permissions = 0;  // who may read, write and execute it: nine bits
    bool is_own = false;       // it belongs to the user that this process runs as
};
FileStatus file_status(const char* path);
/// A new file, open for writing; -1 with errno on failure, EEXIST where the name is taken by anything.
int create_file(const char* path, unsigned permissions);
void set_permissions(int fd, unsigned permissions);
/// Opens a character device for writing; -1 with errno on failure.
int open_device(const char* path);
/// Where a link leads to, as it stands there. False, with errno, when it cannot be read; EPERM where it
/// belongs to another user who is not root, and so may be a trap.
[[nodiscard]] bool read_link(const char* path, char* out, size_t capacity);
/// Another descriptor for what `fd` stands for; -1 with errno on failure.
int duplicate(int fd);
/// What errno says, in the words of libc; the text stays for ever.
const char* error_text();
/// A number that nobody can guess. Where the kernel has none to give yet, one that nobody else has.
uint64_t random_number();

/// Reads at most `capacity` bytes of a file; the number read, or -1.
long read_file(const char* path, char* out, size_t capacity);
/// Writes all of a file to `fd`. False, with errno, when it could not be read or written.
bool copy_file(const char* path, int fd);
bool close_file(int fd);
/// False, with errno, on failure.
bool rename_file(const char* from, const char* to);
bool remove_file(const char* path);

/// Sets what a signal does; system calls that it interrupts go on. False: refused.
bool on_signal(int number, void (*handler)(int));
/// Blocks every signal for the calling thread but those that libc keeps for itself; the mask before.
uint64_t block_signals();
void restore_signals(uint64_t mask);

/// Whether the process has, or may have, more than one thread.
bool has_threads();
/// libc's list of open files, which fork() and fflush(NULL) lock. Recursive.
void lock_open_files();
void unlock_open_files();
/// In a forked child: makes it free, whoever held it.
void reset_open_files();

void wait_on(const uint32_t* word, uint32_t while_equal);
void wake_one(const uint32_t* word);
void yield_cpu();
void sleep_ns(uint64_t duration);
/// How many threads this process has; 0 when that is unknown.
unsigned thread_count();
/// Whether all other threads have ended: main by pthread_exit(), so that the process goes on without it.
bool is_only_thread_left();
/// A thread with a small stack and all signals blocked, which nobody joins. False: refused. Allocates.
[[nodiscard]] bool start_thread(void (*body)());
/// Declares once that barrier_all_threads() will be used: cheap while the process has one thread.
void announce_barriers();
/// Makes every running thread of this process pass a full memory barrier. False: the kernel has no such call.
[[nodiscard]] bool barrier_all_threads();

[[noreturn]] void abort_process();

}  // namespace os

}  // namespace hotlane
