// SPDX-License-Identifier: MIT
// A signal handler may call fork: POSIX.1-2017 lists it as safe in signal handlers, and the process has one
// thread. The signal comes at any moment, also inside another fork.
#include "outside.h"

#include <sys/time.h>

static volatile sig_atomic_t forked, bad;

static void fork_in_handler(int signal_number) {
    (void)signal_number;
    const int kept = errno;
    const pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    bad += child < 0 || status != 0;
    ++forked;
    errno = kept;
}

int main(void) {
    struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 1500}, {0, 1500}};
    setitimer(ITIMER_REAL, &timer, NULL);
    int bad_children = 0;
    for (int i = 0; i < 300 || forked < 30; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
            _exit(i % 7);
        }
        bad_children += end_of(child) != i % 7;
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    SAY("children of the handler that went wrong: %d, of main: %d; memory is fine: %d\n", (int)bad,
        bad_children, churn(1000));
    return 0;
}
