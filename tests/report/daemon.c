/* SPDX-License-Identifier: MIT
 *
 * Becomes a daemon as the books say: forks, begins a session, forks again, and closes every descriptor. Each process
 * allocates. The first two end at once, with the status 3.
 *
 *   (nothing)     the daemon ends by itself
 *   --wait        it ends at a signal from the keyboard, after its parent has read its process id
 *   --background  no session is begun: it is not a daemon, and goes on for a while
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void* kept[64];
static size_t kept_count;

__attribute__((noinline)) void allocate_before(void) { kept[kept_count++] = malloc(1000); }
__attribute__((noinline)) void allocate_between(void) { kept[kept_count++] = malloc(2000); }
__attribute__((noinline)) void allocate_in_daemon(void) { kept[kept_count++] = malloc(3000); }

static void end(int signal) {
    (void)signal;
    exit(0); /* the program only waits, so a handler may do this */
}

static void fork_and_end_parent(void) {
    const pid_t child = fork();
    if (child != 0) {
        _exit(child < 0 ? 1 : 3);
    }
    alarm(30); /* fork clears it */
}

int main(int count, char** arguments) {
    const char* const mode = count > 1 ? arguments[1] : "";
    for (int i = 0; i < 10; ++i) {
        allocate_before();
    }
    fork_and_end_parent();
    if (strcmp(mode, "--background") == 0) {
        close(1);
        close(2);
        sleep(5);
        return 0;
    }
    usleep(20 * 1000); /* the parent has ended long before this is a session of its own */
    setsid();
    allocate_between();
    fork_and_end_parent();
    usleep(20 * 1000);
    if (strcmp(mode, "--wait") == 0) {
        signal(SIGINT, end);
        printf("%d\n", (int)getpid());
        fflush(stdout);
    }
    if (chdir("/") != 0) {
        return 1;
    }
    closefrom(0);
    for (int i = 0; i < 5; ++i) {
        allocate_in_daemon();
    }
    if (strcmp(mode, "--wait") == 0) {
        for (;;) {
            pause();
        }
    }
    return 0;
}
