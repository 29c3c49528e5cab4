// SPDX-License-Identifier: MIT
// Waits, without a request for memory, until it is ended. The argument names what it does before.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void* volatile kept;

int main(int argc, char** argv) {
    const char* what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "allocate") == 0) {
        for (int i = 0; i < 1000; ++i) {
            kept = malloc(1000);
        }
    } else if (strcmp(what, "close") == 0) {
        for (int fd = 0; fd < 256; ++fd) {
            close(fd);
        }
    } else if (strcmp(what, "fork") == 0) {
        if (fork() == 0) {
            for (;;) {
                pause();
            }
        }
    } else if (strcmp(what, "exec") == 0) {
        char* again[] = {argv[0], "allocate", NULL};
        execv(argv[0], again);
    } else if (strcmp(what, "loop") == 0) {
        for (;;) {
            kept = malloc(100);
            free(kept);
        }
    }
    for (;;) {
        pause();
    }
}
