// SPDX-License-Identifier: MIT
// Handlers of at_quick_exit allocate. A handler of SIGABRT may leave by siglongjmp, or end the process
// itself. abort without a handler ends the process by the signal.
#include "outside.h"

#include <setjmp.h>

static void at_quick_exit_handler(void) { SAY("quick exit, memory is fine: %d\n", churn(1000)); }

static sigjmp_buf out;
static void leave(int signal_number) { siglongjmp(out, signal_number); }

static void end(int signal_number) {
    (void)signal_number;
    _exit(12);
}

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 40; ++i) {
            at_quick_exit(at_quick_exit_handler);
        }
        quick_exit(11);
    }
    SAY("quick_exit: %d\n", end_of(child));
    child = fork();
    if (child == 0) {
        signal(SIGABRT, end);
        abort();
    }
    SAY("abort, handled: %d\n", end_of(child));
    child = fork();
    if (child == 0) {
        signal(SIGABRT, leave);
        if (sigsetjmp(out, 1) == 0) {
            abort();
        }
        _exit(churn(1000) ? 13 : 1);
    }
    SAY("abort, left: %d\n", end_of(child));
    child = fork();
    if (child == 0) {
        abort();
    }
    SAY("abort: %d\n", end_of(child));
    return 0;
}
