// SPDX-License-Identifier: MIT
// Trap: handlers before a fork run in the reverse order of their registration, and the constructors of linked
// libraries run before those of a preloaded one. So a library's handler that allocates, or waits for a thread
// that does, finds malloc locked. atfork_library.c is such a library.
#include "check.h"

#include <sys/wait.h>

extern int atfork_library_calls;

int main(void) {
    enum { kForks = 5, kSeconds = 20 };
    alarm(kSeconds);
    for (int i = 1; i <= kForks; ++i) {
        const pid_t child = fork();
        CHECK(child >= 0, "fork failed");
        CHECK(atfork_library_calls == 2 * i, "%d calls after %d forks", atfork_library_calls, i);
        if (child == 0) {
            alarm(kSeconds);
            free(opaque(malloc(100)));
            _exit(7);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7,
              "the child ended with status 0x%x", status);
    }
    return 0;
}
