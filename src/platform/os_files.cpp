// SPDX-License-Identifier: MIT
//
// The functions of os.h for files, which are opened safely and written completely.
#include "base/errno_saver.h"
#include "platform/cancellation_blocker.h"
#include "platform/files/write_signal_blocker.h"
#include "platform/libc/own_functions.h"
#include "platform/os.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace hotlane::os {

HOTLANE_IN_EVERY_PROCESS uint64_t descriptor_identity(int fd) {
    ErrnoSaver keep;
    struct stat status {};
    if (libc::fstat(fd, &status) != 0) {
        return 0;
    }
    // Mixes inode number and devices and sets the lowest bit, so that the result is never 0.
    return ((status.st_dev * 0x9E3779B97F4A7C15) ^ (status.st_ino * 0xC2B2AE3D27D4EB4F) ^ status.st_rdev) | 1;
}

bool write_all(int fd, const char* bytes, size_t count) {
    const int errno_before = errno;
    CancellationBlocker uncancelled;
    WriteSignalBlocker blocker;
    while (count > 0) {
        const ssize_t written = libc::write(fd, bytes, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes += written;
        count -= static_cast<size_t>(written);
    }
    errno = errno_before;
    return true;
}

namespace {

/// Like open(2), for a file that will be written. The flags do what os.h promises for such files.
int open_safely(const char* path, int flags, unsigned permissions) {
    CancellationBlocker uncancelled;
    return libc::open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags, permissions);
}

void close_keeping_errno(int fd) {
    ErrnoSaver keep;
    CancellationBlocker uncancelled;
    libc::close(fd);
}

FileKind kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFLNK:
        return FileKind::link;
    case S_IFCHR:
        return FileKind::character_device;
    case S_IFBLK:
        return FileKind::block_device;
    case S_IFDIR:
        return FileKind::directory;
    case S_IFIFO:
        return FileKind::fifo;
    case S_IFSOCK:
        return FileKind::socket;
    default:
        return FileKind::regular;
    }
}

FileStatus status_of(const struct stat& status) {
    return {.kind = kind_of(status.st_mode),
            .permissions = status.st_mode & 0777,
            .is_own = status.st_uid == libc::geteuid()};
}

}  // namespace

FileStatus file_status(const char* path) {
    ErrnoSaver keep;
    struct stat status {};
    if (libc::lstat(path, &status) != 0) {
        return {};
    }
    return status_of(status);
}

FileStatus descriptor_status(int fd) {
    ErrnoSaver keep;
    struct stat status {};
    return libc::fstat(fd, &status) != 0 ? FileStatus{} : status_of(status);
}

int create_file(const char* path, unsigned permissions) {
    return open_safely(path, O_CREAT | O_EXCL, permissions);
}

void set_permissions(int fd, unsigned permissions) {
    ErrnoSaver keep;
    libc::fchmod(fd, permissions);
}

int open_device(const char* path) {
    const int fd = open_safely(path, 0, 0);
    if (fd < 0) {
        return -1;
    }
    struct stat status {};
    if (libc::fstat(fd, &status) != 0 || !S_ISCHR(status.st_mode)) {
        close_keeping_errno(fd);
        errno = ENXIO;  // another kind of file has that name now
        return -1;
    }
    // Writes may block from now on: a terminal accepts data at its own pace.
    libc::fcntl(fd, F_SETFL, libc::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

bool read_link(const char* path, char* out, size_t capacity) {
    CancellationBlocker uncancelled;
    // Uses a descriptor, so that the link that is read is the one whose owner was checked.
    const int fd = libc::open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct stat status {};
    const bool trusted =
        libc::fstat(fd, &status) == 0 && (status.st_uid == libc::geteuid() || status.st_uid == 0);
    const ssize_t length = trusted ? libc::readlinkat(fd, "", out, capacity) : -1;
    close_keeping_errno(fd);
    if (length < 0 || static_cast<size_t>(length) >= capacity) {
        errno = !trusted ? EPERM : length < 0 ? errno : ENAMETOOLONG;
        return false;
    }
    out[length] = '\0';
    return true;
}

int duplicate(int fd) {
    CancellationBlocker uncancelled;
    return libc::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

// Does not use strerror(), which translates the text and allocates for that.
const char* error_text() {
    const char* text = strerrordesc_np(errno);
    return text != nullptr ? text : "unknown error";
}

uint64_t random_number() {
    ErrnoSaver keep;
    static constinit std::atomic<uint64_t> calls{0};
    uint64_t number = 0;
    if (libc::getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) {
        number = (monotonic_ns() << 16) ^ (static_cast<uint64_t>(libc::gettid()) << 44) ^ ++calls;
    }
    return number;
}

int open_for_reading(const char* path) {
    CancellationBlocker uncancelled;
    return libc::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

long read_some(int fd, char* out, size_t capacity) {
    CancellationBlocker uncancelled;
    ssize_t count = 0;
    do {
        count = libc::read(fd, out, capacity);
    } while (count < 0 && errno == EINTR);
    return count;
}

long read_file(const char* path, char* out, size_t capacity) {
    ErrnoSaver keep;
    CancellationBlocker uncancelled;
    const int fd = libc::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    size_t total = 0;
    ssize_t count = 0;
    while (total < capacity && (count = libc::read(fd, out + total, capacity - total)) > 0) {
        total += static_cast<size_t>(count);
    }
    libc::close(fd);
    return count < 0 ? -1 : static_cast<long>(total);
}

long read_pieces(int fd, void* first, size_t first_bytes, void* second, size_t second_bytes) {
    const iovec pieces[2] = {{first, first_bytes}, {second, second_bytes}};
    for (;;) {
        const ssize_t n = second_bytes == 0 ? libc::read(fd, first, first_bytes) : libc::readv(fd, pieces, 2);
        if (n >= 0 || errno != EINTR) {
            return n;
        }
    }
}

namespace {

/// The descriptor of /proc/self/statm, which stays open while the process may be sampled. A program may close it, and
/// open another file under its number; so it is compared with its identity before and after it is read.
struct Statm {
    std::atomic<int> process{0};  // that opened it; 0: it is not open
    std::atomic<int> fd{-1};
    std::atomic<uint64_t> identity{0};
    std::atomic<int> opened_by{0};  // the process in which a thread is opening it
};
constinit Statm statm;

/// Whether a filter of system calls was installed since the first call. It may end the process for opening a file.
bool has_new_filter() {
    constinit static std::atomic<int> first{-1};
    const int mode = libc::prctl(PR_GET_SECCOMP);
    int none = -1;
    return !first.compare_exchange_strong(none, mode) && none != mode;
}

/// Puts the descriptor where no program looks for the lowest free number. Returns -1 if there is no room.
int move_out_of_the_way(int fd) {
    int moved = -1;
    for (const int from : {1000, 100, 10}) {
        moved = moved < 0 ? libc::fcntl(fd, F_DUPFD_CLOEXEC, from) : moved;
    }
    if (fd >= 0) {
        close_keeping_errno(fd);
    }
    return moved;
}

/// A child has its parent's descriptor, which tells about the parent.
void close_parents() {
    const int process = statm.process.exchange(0);
    const int fd = statm.fd.load();
    if (process != 0 && process != process_id() && descriptor_identity(fd) == statm.identity.load()) {
        close_keeping_errno(fd);
    }
}

long read_held(char* out, size_t capacity) {
    const int fd = statm.fd.load();
    const uint64_t identity = statm.identity.load();
    if (statm.process.load() != process_id() || descriptor_identity(fd) != identity) {
        return -1;
    }
    const ssize_t count = libc::pread(fd, out, capacity, 0);
    return descriptor_identity(fd) == identity ? count : -1;
}

long open_and_read(char* out, size_t capacity) {
    const int process = process_id();
    int other = statm.opened_by.load();
    if (has_new_filter() || other == process || !statm.opened_by.compare_exchange_strong(other, process)) {
        return -1;
    }
    close_parents();
    const int fd = move_out_of_the_way(open_for_reading("/proc/self/statm"));
    const ssize_t count = fd < 0 ? -1 : libc::pread(fd, out, capacity, 0);
    statm.fd.store(fd);
    statm.identity.store(descriptor_identity(fd));
    statm.process.store(fd < 0 ? 0 : process);
    statm.opened_by.store(0);
    return count;
}

}  // namespace

// The second number in /proc/self/statm, in pages.
size_t resident_bytes() {
    const int errno_before = errno;
    CancellationBlocker uncancelled;
    char text[128];
    long length = read_held(text, sizeof text);
    length = length > 0 ? length : open_and_read(text, sizeof text);
    errno = errno_before;
    long i = 0;
    while (i < length && text[i] != ' ') {
        ++i;
    }
    size_t pages = 0;
    for (++i; i < length && text[i] >= '0' && text[i] <= '9'; ++i) {
        pages = pages * 10 + static_cast<size_t>(text[i] - '0');
    }
    return pages * page_size();
}

bool copy_file(const char* path, int fd) {
    CancellationBlocker uncancelled;
    const int from = libc::open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return false;
    }
    char bytes[2048];
    ssize_t count = 0;
    bool good = true;
    while (good && (count = libc::read(from, bytes, sizeof bytes)) > 0) {
        good = write_all(fd, bytes, static_cast<size_t>(count));
    }
    close_keeping_errno(from);
    return good && count == 0;
}

bool close_file(int fd) {
    CancellationBlocker uncancelled;
    return libc::close(fd) == 0;
}

bool rename_file(const char* from, const char* to) { return libc::rename(from, to) == 0; }
bool remove_file(const char* path) { return libc::unlink(path) == 0; }

}  // namespace hotlane::os
