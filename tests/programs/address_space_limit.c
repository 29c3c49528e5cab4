// SPDX-License-Identifier: MIT
// Trap: a large reservation fails under RLIMIT_AS, and making it usable fails under RLIMIT_DATA. An allocator
// without its region then has nothing left to serve from.
// This program starts itself again under ten limits, and under one that is set while it runs. Each time it
// allocates until it is refused (ENOMEM, no crash), frees everything, and must be able to allocate again.
#include "check.h"

#include <sys/resource.h>
#include <sys/wait.h>

enum { kObjects = 1 << 16 };

static void* objects[kObjects];

static size_t fill(size_t size) {
    size_t count = 0;
    for (; count < kObjects && count * size < (size_t)192 << 20; ++count) {
        errno = 0;
        objects[count] = malloc(size);
        if (!objects[count]) {
            CHECK(errno == ENOMEM, "refused with errno %d", errno);
            break;
        }
        pattern_fill(objects[count], size < 128 ? size : 128, (unsigned)count);
    }
    return count;
}

static void drain(size_t count, size_t size) {
    for (size_t i = 0; i < count; ++i) {
        pattern_check(objects[i], size < 128 ? size : 128, (unsigned)i);
        free(objects[i]);
    }
}

// Large objects may be refused if memory is so short that the fallback cannot start, or if memory that small
// objects have freed still counts as the process's data. Small objects may never be refused after memory was
// freed.
static void allocate_to_the_limit(int large_too) {
    static const size_t kSizes[] = {48, 4096, 60000, 1 << 20};
    for (int round = 0; round < 2; ++round) {
        for (size_t i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
            const size_t count = fill(kSizes[i]);
            CHECK(count > 0 || (kSizes[i] > 65536 && !large_too), "not one object of %zu bytes in round %d",
                  kSizes[i], round);
            drain(count, kSizes[i]);
        }
    }
}

static void limit_to(int resource, rlim_t bytes) {
    struct rlimit limit = {bytes, RLIM_INFINITY};
    CHECK(setrlimit((__rlimit_resource_t)resource, &limit) == 0, "setrlimit failed");
}

static void start_again_under(const char* self, int resource, size_t mebibytes) {
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        limit_to(resource, (rlim_t)mebibytes << 20);
        execl(self, self, resource == RLIMIT_AS && mebibytes >= 40 ? "all" : "small", (char*)NULL);
        _exit(126);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "under a limit of %zu MiB: status 0x%x", mebibytes,
          status);
}

int main(int count, char** arguments) {
    if (count > 1) {
        allocate_to_the_limit(strcmp(arguments[1], "all") == 0);
        return 0;
    }
    static const size_t kMebibytes[] = {24, 40, 64, 100, 160, 256, 600, 2000, 20000, 300000};
    for (size_t i = 0; i < sizeof kMebibytes / sizeof *kMebibytes; ++i) {
        start_again_under(arguments[0], RLIMIT_AS, kMebibytes[i]);
    }
    start_again_under(arguments[0], RLIMIT_DATA, 16);
    start_again_under(arguments[0], RLIMIT_DATA, 100);
    free(opaque(malloc(100)));
    limit_to(RLIMIT_AS, (status_kib("VmSize:") << 10) + (16 << 20));
    allocate_to_the_limit(1);
    limit_to(RLIMIT_AS, RLIM_INFINITY);
    allocate_to_the_limit(1);
    return 0;
}
