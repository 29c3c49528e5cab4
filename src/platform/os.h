// SPDX-License-Identifier: MIT
//
// The interface to the kernel and to libc's system calls. Unit tests link tests/unit/fake_os.cpp instead,
// where they control failures and time.
#pragma once

#include "base/base.h"

namespace hotlane {

/// The result of a request for certain addresses.
enum class Reservation : uint8_t { granted, occupied, refused };

namespace os {

/// The size of the kernel's pages: 4 KiB on x86-64; 4, 16 or 64 KiB on arm64. What the following functions get
/// begins at a multiple of it.
size_t page_size();
/// Reserves address space without memory (PROT_NONE, not charged). `alignment` is a power of two. Null on
/// failure.
void* reserve(size_t bytes, size_t alignment);
/// The same at exactly this address. `occupied`: something lies there, or the system chooses the place of
/// mappings itself.
[[nodiscard]] Reservation reserve_at(uintptr_t at, size_t bytes);
/// Gives back reserved address space, or a part of it.
void unreserve(void* p, size_t bytes);
/// Makes reserved OS pages readable and writable; they read as zero until they are written. Returns false if
/// the system refuses; then nothing has changed.
[[nodiscard]] bool commit(void* p, size_t bytes);
/// Forbids all access to committed pages. Their contents stay for a later commit(). Returns false if the
/// system refuses; then nothing has changed.
[[nodiscard]] bool block(void* p, size_t bytes);
/// Maps new pages that are readable, writable and zero. Null on failure.
void* map(size_t bytes);
void unmap(void* p, size_t bytes);
/// Returns the memory of committed OS pages to the kernel at once; they read as zero afterwards. Returns
/// false if the system refuses; then the contents are kept.
[[nodiscard]] bool purge(void* p, size_t bytes);
/// Asks the kernel to use 2-MiB pages, or not to use them. This is advice: a refusal has no consequence.
void advise_huge(void* p, size_t bytes, bool huge);

/// The most bytes of memory that the current resource limits allow this process; SIZE_MAX: no limit.
size_t memory_limit();
/// An unpredictable number. Never waits.
uint64_t random_word();

/// CLOCK_MONOTONIC, nanoseconds.
uint64_t monotonic_ns();
/// CLOCK_REALTIME, nanoseconds since 1970.
uint64_t real_time_ns();
/// The time of monotonic_ns() at the last timer tick. Its resolution is a few milliseconds; reading it takes
/// a few nanoseconds.
uint64_t coarse_ns();
/// The peak resident set of this process in bytes; 0 if unknown.
size_t peak_rss_bytes();
/// The resident set of this process now; 0 if unknown. Opens a file once and keeps it open.
size_t resident_bytes();
/// How many processors the process may use. Asked once: a sandbox may forbid it later.
unsigned cpu_count();
/// The number of the processor that the thread runs on. It may be outdated at once. Takes a few nanoseconds.
unsigned processor();
int process_id();
/// The kernel's id of the calling thread.
uint32_t thread_id();
/// Whether the calling thread is past its destructors and libc is cleaning up after it. libc then blocks
/// signals that no program can block, which a system call finds out.
bool thread_is_leaving();

/// The value of an environment variable, or null. Always null if the process is privileged (AT_SECURE).
const char* environment(const char* name);
bool is_privileged();
/// Whether this code lies in a shared object (preloaded or linked) and not in the executable.
bool in_shared_object();
/// Stores the program's name: the base name of its first argument. The program may overwrite its arguments
/// later, even with data from outside.
void remember_program_name();
/// Copies the stored name, cut at capacity-1 bytes and always terminated. It can be used as a file name: it
/// has no slash and no control character, and is neither empty nor "." nor "..".
void program_name(char* out, size_t capacity);

/// Copies the path of the running program, cut at capacity-1 bytes and always terminated; empty if unknown.
void program_path(char* out, size_t capacity);

/// A number that identifies the file of a descriptor, to test later whether it is still the same. 0: closed.
uint64_t descriptor_identity(int fd);
/// Writes all `count` bytes; continues after short writes and EINTR. On any other error, returns false and
/// sets errno.
bool write_all(int fd, const char* bytes, size_t count);

// Functions for files that are written. None of them follows a link in the last part of a path, waits for
// another process to open the file, or lets an executed program inherit a descriptor.

/// The kind of a file.
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
    unsigned permissions = 0;  // the nine bits of the mode
    bool is_own = false;       // the file belongs to the effective user of this process
};
FileStatus file_status(const char* path);
FileStatus descriptor_status(int fd);
/// Creates a file and opens it for writing. On failure, returns -1 and sets errno; EEXIST if anything has
/// that name.
int create_file(const char* path, unsigned permissions);
void set_permissions(int fd, unsigned permissions);
/// Opens a character device for writing. On failure, returns -1 and sets errno.
int open_device(const char* path);
/// Reads the text of a link. On failure, returns false and sets errno; EPERM if the link belongs to another
/// user who is not root, and so may be a trap.
[[nodiscard]] bool read_link(const char* path, char* out, size_t capacity);
/// Duplicates a descriptor. On failure, returns -1 and sets errno.
int duplicate(int fd);
/// libc's text for errno. It is never freed.
const char* error_text();
/// An unpredictable number. If the kernel has no random numbers yet, one that is unique.
uint64_t random_number();

/// Opens a file for reading, without waiting for another process. Follows links. On failure, returns -1 and
/// sets errno.
int open_for_reading(const char* path);
/// Reads the next bytes, at most `capacity`. Returns how many; 0 at the end; -1 on failure, with errno set.
long read_some(int fd, char* out, size_t capacity);
/// Reads at most `capacity` bytes of a file. Returns how many, or -1 on failure.
long read_file(const char* path, char* out, size_t capacity);
/// Reads from a descriptor into two pieces of memory, one after the other. Returns how many bytes; 0 at the end
/// of the stream; -1 on failure, and sets errno. Continues after EINTR. A cancellation point.
long read_pieces(int fd, void* first, size_t first_bytes, void* second, size_t second_bytes);
/// Copies a file to `fd`. If reading or writing fails, returns false and sets errno.
bool copy_file(const char* path, int fd);
bool close_file(int fd);
/// On failure, returns false and sets errno.
bool rename_file(const char* from, const char* to);
bool remove_file(const char* path);

/// Sets the handler of a signal. Interrupted system calls are restarted. Returns false if the system refuses.
bool on_signal(int number, void (*handler)(int));
/// Blocks all signals for the calling thread except those that libc reserves. Returns the previous mask.
uint64_t block_signals();
void restore_signals(uint64_t mask);

/// Whether the process has, or may have, more than one thread.
bool has_threads();
/// Locks libc's list of open files, which fork() and fflush(NULL) lock, too. Recursive.
void lock_open_files();
void unlock_open_files();
/// In a forked child: resets the lock of that list, whichever thread held it.
void reset_open_files();

void wait_on(const uint32_t* word, uint32_t while_equal);
void wake_one(const uint32_t* word);
/// Waits for at least `duration` nanoseconds. Not a cancellation point.
void sleep_ns(uint64_t duration);
/// Waits for some ten microseconds, for loops that wait until another thread has done something.
void pause_briefly();
/// How many threads this process has; 0 if unknown.
unsigned thread_count();
/// Whether all other threads have ended. The process outlives its main thread if that ends by pthread_exit().
bool is_only_thread_left();
/// Starts a detached thread with a small stack and all signals blocked. Allocates. Returns false if the
/// system refuses.
[[nodiscard]] bool start_thread(void (*body)());
/// Registers the process for barrier_all_threads(). Cheap while the process has one thread.
void announce_barriers();
/// Makes every running thread of this process execute a full memory barrier. Returns false if the kernel
/// cannot do that.
[[nodiscard]] bool barrier_all_threads();

[[noreturn]] void abort_process();

}  // namespace os

}  // namespace hotlane
