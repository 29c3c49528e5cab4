// SPDX-License-Identifier: MIT
// Runs a program with a library preloaded into it alone, and reports what the kernel counted for it and its
// children. The program is small on purpose: the peak RSS of a child starts at that of the process which
// started it.
//
// usage: measure REPORT LIBRARY|- PROGRAM [ARGUMENTS]
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

static int complain(const char* what, int error) {
    fprintf(stderr, "measure: %s: %s\n", what, strerror(error));
    return 125;
}

static double seconds_of(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int write_report(const char* path, double wall, const struct rusage* usage, int status) {
    FILE* report = fopen(path, "w");
    if (report == NULL) {
        return complain(path, errno);
    }
    fprintf(report,
            "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"peak_kib\": %ld, \"minor_faults\": %ld, "
            "\"major_faults\": %ld, \"exit\": %d, \"signal\": %d}\n",
            wall, seconds_of(usage->ru_utime), seconds_of(usage->ru_stime), usage->ru_maxrss,
            usage->ru_minflt, usage->ru_majflt, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
            WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return fclose(report) == 0 ? 0 : complain(path, errno);
}

int main(int argc, char** argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: measure REPORT LIBRARY|- PROGRAM [ARGUMENTS]\n");
        return 125;
    }
    if (strcmp(argv[2], "-") != 0 && setenv("LD_PRELOAD", argv[2], 1) != 0) {
        return complain("setenv", errno);
    }
    pid_t child;
    const double start = now();
    const int error = posix_spawnp(&child, argv[3], NULL, NULL, argv + 3, environ);
    if (error != 0) {
        return complain(argv[3], error);
    }
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR) {
            return complain("wait4", errno);
        }
    }
    return write_report(argv[1], now() - start, &usage, status);
}
