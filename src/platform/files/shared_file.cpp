// SPDX-License-Identifier: MIT
//
// Files that several processes map, and what identifies a process.
#include "platform/files/shared_file.h"

#include "base/atomic_access.h"
#include "base/errno_saver.h"
#include "platform/cancellation_blocker.h"
#include "platform/files/write_signal_blocker.h"
#include "platform/libc/own_functions.h"
#include "platform/os.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace hotlane {

int open_own_directory(const char* path, const char*& problem) {
    CancellationBlocker uncancelled;
    const int fd = libc::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        problem = errno == ELOOP || errno == ENOTDIR ? "not a directory, or a link to one" : os::error_text();
        return -1;
    }
    constexpr mode_t kOthersWrite = 0022;
    struct stat status {};
    const bool known = libc::fstat(fd, &status) == 0;
    if (known && status.st_uid == libc::geteuid() && (status.st_mode & kOthersWrite) == 0) {
        return fd;
    }
    problem = !known                             ? os::error_text()
              : status.st_uid != libc::geteuid() ? "it belongs to another user"
                                                 : "others may write in it; its mode must be 0700";
    libc::close(fd);
    return -1;
}

void make_own_directory(const char* path) {
    ErrnoSaver keep;
    libc::mkdir(path, 0700);
}

int create_in(int directory, const char* name) {
    CancellationBlocker uncancelled;
    const int fd = libc::openat(directory, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        os::set_permissions(fd, 0600);  // whatever the umask is
    }
    return fd;
}

bool remove_in(int directory, const char* name) {
    ErrnoSaver keep;
    return libc::unlinkat(directory, name, 0) == 0;
}

bool read_in(int directory, const char* name, void* out, size_t bytes) {
    ErrnoSaver keep;
    CancellationBlocker uncancelled;
    const int fd = libc::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct stat status {};
    const bool whole = libc::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                       libc::pread(fd, out, bytes, 0) == static_cast<ssize_t>(bytes);
    libc::close(fd);
    return whole;
}

bool is_in(int directory, const char* name, uint64_t identity) {
    ErrnoSaver keep;
    CancellationBlocker uncancelled;
    const int fd = libc::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    const bool same = fd >= 0 && os::descriptor_identity(fd) == identity;
    if (fd >= 0) {
        libc::close(fd);
    }
    return same;
}

namespace {

/// For file systems that cannot allocate space: writes zeros.
bool write_zeros(int fd, size_t bytes) {
    static constexpr char kZeros[4 * KiB] = {};
    for (size_t done = 0; done < bytes; done += sizeof kZeros) {
        if (!os::write_all(fd, kZeros, std::min(sizeof kZeros, bytes - done))) {
            return false;
        }
    }
    return true;
}

bool allocate_space(int fd, size_t bytes) {
    WriteSignalBlocker blocker;
    int result = 0;
    do {
        result = libc::fallocate(fd, 0, 0, static_cast<off_t>(bytes));
    } while (result != 0 && errno == EINTR);
    return result == 0 || ((errno == EOPNOTSUPP || errno == ENOSYS) && write_zeros(fd, bytes));
}

}  // namespace

void* map_new_file(int fd, size_t bytes) {
    if (!allocate_space(fd, bytes)) {
        return nullptr;
    }
    void* p = libc::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? nullptr : p;
}

namespace {

/// Each store is a release: what was stored before is visible to a reader of the file that sees it. A fence would do,
/// too, but ThreadSanitizer knows none.
void copy_words(void* to, const void* from, size_t bytes) {
    auto* out = static_cast<uint64_t*>(to);
    const auto* in = static_cast<const uint64_t*>(from);
    for (size_t i = 0; i < bytes / sizeof(uint64_t); ++i) {
        store_release(out[i], load_acquire(in[i]));
    }
}

using Transfer = ssize_t(pid_t, const iovec*, unsigned long, const iovec*, unsigned long, unsigned long);

bool transfer(Transfer* by_kernel, const void* mapped, const void* own, size_t bytes) {
    ErrnoSaver keep;
    const iovec local{const_cast<void*>(own), bytes};
    const iovec remote{const_cast<void*>(mapped), bytes};
    const ssize_t count = by_kernel(libc::getpid(), &local, 1, &remote, 1, 0);
    if (count < 0 && errno != EFAULT) {
        const bool reads = by_kernel == process_vm_readv;
        copy_words(reads ? local.iov_base : remote.iov_base, reads ? mapped : own, bytes);
        return true;
    }
    return count == static_cast<ssize_t>(bytes);
}

}  // namespace

bool write_shared(void* mapped, const void* from, size_t bytes) {
    return transfer(process_vm_writev, mapped, from, bytes);
}

bool read_shared(const void* mapped, void* to, size_t bytes) {
    return transfer(process_vm_readv, mapped, to, bytes);
}

unsigned effective_user() { return libc::geteuid(); }

uint64_t process_namespace() {
    ErrnoSaver keep;
    struct stat status {};
    return libc::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

namespace {

/// The number in a word of /proc/PID/stat. `words` starts at the end of the second one.
uint64_t number_at(const char* words, int index) {
    constexpr int kNameIndex = 2;
    for (int i = kNameIndex; i < index && words != nullptr; ++i) {
        words = strchr(words + 1, ' ');
    }
    return words == nullptr ? 0 : strtoull(words + 1, nullptr, 10);
}

}  // namespace

ProcessTimes process_times(int process) {
    ErrnoSaver keep;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    char text[1024];
    const long length = os::read_file(path, text, sizeof text - 1);
    text[std::max(length, 0L)] = '\0';
    // The second word, the program's name, may contain anything. It ends with the last ')'.
    const char* const words = strrchr(text, ')');
    constexpr int kStartedIndex = 22;
    constexpr int kStackIndex = 28;
    // A process that waits for its parent ("Z") has ended.
    const bool ended = words == nullptr || words[1] == '\0' || words[2] == 'Z' || words[2] == 'X';
    return ended ? ProcessTimes{}
                 : ProcessTimes{.started = number_at(words, kStartedIndex),
                                .stack = number_at(words, kStackIndex)};
}

}  // namespace hotlane
