// SPDX-License-Identifier: MIT
//
// Looks at the memory of this process through process_vm_readv and /proc.
// Knows nothing of whose memory it is.
// Called through inspect.h.
#include "base/inspect.h"

#include "base/os.h"

#include <cerrno>
#include <cstring>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace hotlane::inspect {

bool read_memory(uintptr_t from, void* to, size_t bytes) {
    const int saved_errno = errno;
    const iovec local{to, bytes};
    const iovec remote{pointer_to(from), bytes};
    const bool all = process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
    errno = saved_errno;
    return all;
}

ProgramBreak program_break() {
    // The 47th word of stat is the start. The second, the program's name, may hold spaces but ends with the
    // last ')'.
    constexpr int kNameIndex = 2;
    constexpr int kStartIndex = 47;
    char stat[1024];
    const long length = os::read_file("/proc/self/stat", stat, sizeof stat - 1);
    if (length <= 0) {
        return {};
    }
    stat[length] = '\0';
    const char* word = strrchr(stat, ')');
    for (int index = kNameIndex; index < kStartIndex && word != nullptr; ++index) {
        word = strchr(word + 1, ' ');
    }
    if (word == nullptr) {
        return {};
    }
    uintptr_t start = 0;
    for (++word; *word >= '0' && *word <= '9'; ++word) {
        start = start * 10 + static_cast<uintptr_t>(*word - '0');
    }
    return {start, static_cast<uintptr_t>(syscall(SYS_brk, 0))};
}

}  // namespace hotlane::inspect
