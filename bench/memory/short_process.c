// SPDX-License-Identifier: MIT
// Measures what an allocator costs a process that hardly uses it: /bin/true is started again and again, with
// each library in turn, in an order that changes: a process pays for caches and pages that the one before it left.
// The program is small and static, because a child's peak RSS starts at its parent's.
//
// usage: short_process RUNS LIBRARY|- ...
#include <errno.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { most_runs = 5000, most_libraries = 16 };

struct sample {
    double microseconds;
    double faults;
    double peak_kib;
};

static struct sample samples[most_libraries][most_runs];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void fail(const char* what) {
    fprintf(stderr, "short_process: %s: %s\n", what, strerror(errno));
    exit(2);
}

static struct sample run_once(const char* library) {
    char preload[4096];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    char quiet[] = "HOTLANE_STATS=off";
    char program[] = "/bin/true";
    char* arguments[] = {program, NULL};
    char* environment[] = {quiet, strcmp(library, "-") != 0 ? preload : NULL, NULL};
    pid_t child;
    int status = 0;
    struct rusage usage;
    const double start = now();
    errno = posix_spawn(&child, program, NULL, NULL, arguments, environment);
    if (errno != 0 || wait4(child, &status, 0, &usage) < 0) {
        fail(program);
    }
    const double end = now();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "short_process: %s failed with %s\n", program, library);
        exit(1);
    }
    return (struct sample){end - start, (double)usage.ru_minflt, (double)usage.ru_maxrss};
}

static int by_value(const void* left, const void* right) {
    const double a = *(const double*)left;
    const double b = *(const double*)right;
    return (a > b) - (a < b);
}

// The median of one member of the samples, chosen by its offset.
static double median(const struct sample* of, int runs, size_t offset) {
    static double values[most_runs];
    for (int i = 0; i < runs; ++i) {
        memcpy(&values[i], (const char*)&of[i] + offset, sizeof values[i]);
    }
    qsort(values, (size_t)runs, sizeof values[0], by_value);
    return values[runs / 2];
}

int main(int argc, char** argv) {
    const int runs = argc > 2 ? atoi(argv[1]) : 0;
    const int libraries = argc - 2;
    if (runs < 1 || runs > most_runs || libraries > most_libraries) {
        fprintf(stderr, "usage: short_process RUNS LIBRARY|- ...\n");
        return 2;
    }
    int order[most_libraries];
    for (int i = 0; i < libraries; ++i) {
        order[i] = i;
    }
    for (int run = 0; run < runs; ++run) {
        for (int i = libraries - 1; i > 0; --i) {
            const int other = rand() % (i + 1);
            const int which = order[i];
            order[i] = order[other];
            order[other] = which;
        }
        for (int i = 0; i < libraries; ++i) {
            samples[order[i]][run] = run_once(argv[2 + order[i]]);
        }
    }
    for (int i = 0; i < libraries; ++i) {
        printf("library=%s microseconds=%.1f faults=%.0f peak_kib=%.0f\n", argv[2 + i],
               median(samples[i], runs, offsetof(struct sample, microseconds)),
               median(samples[i], runs, offsetof(struct sample, faults)),
               median(samples[i], runs, offsetof(struct sample, peak_kib)));
    }
    return 0;
}
