// SPDX-License-Identifier: MIT
//
// Files in a directory of the user's own that several processes map, and what identifies a process. It is not
// part of os.h, so that tests on a fake system use real files.
#pragma once

#include "base/base.h"

namespace hotlane {

/// Opens a directory to name files in it. Returns -1, and sets `problem`, if it is not a directory, is a link,
/// belongs to another user than the effective one, or if the group or others may write in it.
int open_own_directory(const char* path, const char*& problem);
/// Creates a directory that only the user can enter. Does nothing if anything has that name.
void make_own_directory(const char* path);

/// Each takes a descriptor of open_own_directory() and a name without a slash. Links are never followed.
/// Creates a file for reading and writing, mode 0600. On failure, returns -1 and sets errno; EEXIST if
/// anything has that name.
int create_in(int directory, const char* name);
bool remove_in(int directory, const char* name);
/// Reads the first bytes of a regular file. Returns whether it has that many.
bool read_in(int directory, const char* name, void* out, size_t bytes);
/// Whether the name stands for the same file as the descriptor's number, see os::descriptor_identity().
bool is_in(int directory, const char* name, uint64_t identity);

/// Gives the new, empty file of a descriptor its size with all of its disk space, and maps it shared and
/// writable. With the space allocated, no later write can fail and cause SIGBUS. Null on failure, with errno
/// set.
void* map_new_file(int fd, size_t bytes);

/// Copies words to or from a mapping of a file that another process may cut off: an access by this process's own
/// instructions would then be a SIGBUS. Both addresses are multiples of 8, as is `bytes`. Where the kernel refuses the
/// call, the words are copied as usual. Returns false if the file was cut off; then a part may have been copied.
[[nodiscard]] bool write_shared(void* mapped, const void* from, size_t bytes);
[[nodiscard]] bool read_shared(const void* mapped, void* to, size_t bytes);

/// The effective user of this process.
unsigned effective_user();
/// The number of the namespace that this process's id belongs to; 0 if unknown.
uint64_t process_namespace();

/// What tells a process from another one that had or gets the same id.
struct ProcessTimes {
    uint64_t started = 0;  // clock ticks since boot; 0: there is no such process, or it has ended
    uint64_t stack = 0;    // address of its first stack, which exec changes; 0: unknown
};
ProcessTimes process_times(int process);

}  // namespace hotlane
