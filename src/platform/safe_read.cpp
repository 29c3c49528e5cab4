// SPDX-License-Identifier: MIT
//
// Reads the memory of this process through process_vm_readv and /proc.
#include "platform/safe_read.h"

#include "base/errno_saver.h"
#include "platform/cancellation_blocker.h"
#include "platform/libc/own_functions.h"
#include "platform/os.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <link.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// The first byte of the ELF file that contains this code. The linker defines it.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;

namespace hotlane::inspect {

namespace {

/// Parses "begin-end ", two hexadecimal numbers.
Extent parse_extent(const char* line) {
    uintptr_t numbers[2] = {};
    for (uintptr_t& number : numbers) {
        for (; (*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f'); ++line) {
            number = number * 16 + static_cast<uintptr_t>(*line <= '9' ? *line - '0' : *line - 'a' + 10);
        }
        ++line;
    }
    return {numbers[0], numbers[1]};
}

}  // namespace

Extent mapping_around(uintptr_t address) {
    ErrnoSaver keep;
    CancellationBlocker uncancelled;
    const int fd = libc::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return {};
    }
    // The lines are in the order of addresses. An incomplete last line moves to the front of the buffer.
    char text[2048];
    size_t used = 0;
    ssize_t count = 0;
    Extent found;
    while (found.end == 0 && (count = libc::read(fd, text + used, sizeof text - used)) > 0) {
        used += static_cast<size_t>(count);
        const char* line = text;
        const char* newline = nullptr;
        while ((newline = static_cast<const char*>(
                    memchr(line, '\n', static_cast<size_t>(text + used - line)))) != nullptr) {
            if (const Extent mapping = parse_extent(line); mapping.contains(address)) {
                found = mapping;
            }
            line = newline + 1;
        }
        used = static_cast<size_t>(text + used - line) % sizeof text;  // a line longer than `text` is dropped
        memmove(text, line, used);
    }
    libc::close(fd);
    return found;
}

Extent own_code() {
    const uintptr_t start = address_of(&__ehdr_start);
    const auto* headers = static_cast<const ElfW(Phdr)*>(pointer_to(start + __ehdr_start.e_phoff));
    for (size_t i = 0; i < __ehdr_start.e_phnum; ++i) {
        if (headers[i].p_type == PT_LOAD && (headers[i].p_flags & PF_X) != 0) {
            return {start + headers[i].p_vaddr, start + headers[i].p_vaddr + headers[i].p_memsz};
        }
    }
    return {};
}

bool read_memory(uintptr_t from, void* to, size_t bytes) {
    ErrnoSaver keep;
    const iovec local{to, bytes};
    const iovec remote{pointer_to(from), bytes};
    return libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
}

bool is_readable(uintptr_t begin, uintptr_t end) {
    constexpr size_t kPagesAtOnce = 64;
    ErrnoSaver keep;
    uintptr_t page = round_down(begin, os::page_size());
    while (page < end) {
        std::byte bytes[kPagesAtOnce];
        iovec remote[kPagesAtOnce];
        size_t count = 0;
        for (; page < end && count < kPagesAtOnce; page += os::page_size()) {
            remote[count++] = {pointer_to(page), 1};
        }
        const iovec local{bytes, count};
        const ssize_t read = libc::process_vm_readv(libc::getpid(), &local, 1, remote, count, 0);
        if (read != static_cast<ssize_t>(count)) {
            const bool forbidden = read < 0 && (errno == EPERM || errno == ENOSYS);
            return forbidden && mapping_around(begin).contains(end - 1);
        }
    }
    return true;
}

}  // namespace hotlane::inspect
