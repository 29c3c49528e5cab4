// SPDX-License-Identifier: MIT
// What the programs of the outside suite share: printing a line, giving malloc work, waiting for a child. A program
// prints what it observed, without addresses and times, so that its output under two mallocs can be compared.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// One line of the answer, written at once: nothing stays in a buffer that a child would write again.
#define SAY(...) dprintf(STDOUT_FILENO, __VA_ARGS__)

// Keeps the compiler from seeing through a pointer, and so from removing or folding an allocation.
static inline void* opaque(void* pointer) {
    void* volatile hidden = pointer;
    return hidden;
}

// Allocates `count` objects of many sizes, fills them, and frees them in another order. 1: all kept their
// contents.
static inline int churn(size_t count) {
    unsigned char** objects = (unsigned char**)calloc(count, sizeof *objects);
    int kept = objects != NULL;
    for (size_t i = 0; kept && i < count; ++i) {
        const size_t size = 1 + i * 37 % 3000 + (i % 500 == 499 ? 200000 : 0);
        objects[i] = (unsigned char*)opaque(malloc(size));
        if (!objects[i]) {
            kept = 0;
            break;
        }
        memset(objects[i], (int)(i % 251), size);
    }
    for (size_t step = 0; step < 2; ++step) {
        for (size_t i = step; kept && i < count; i += 2) {
            kept = objects[i][0] == i % 251 && objects[i][i * 37 % 3000] == i % 251;
            free(objects[i]);
        }
    }
    free(objects);
    return kept;
}

// Waits for a child. Its exit status, or 1000 and the signal that ended it.
static inline int end_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// Of programs that run as root, where limits do not count: become nobody.
static inline void be_nobody(void) {
    if (getuid() == 0 && setuid(65534) != 0) {
        SAY("cannot become nobody\n");
        exit(77);
    }
}
