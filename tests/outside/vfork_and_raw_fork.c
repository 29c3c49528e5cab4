// SPDX-License-Identifier: MIT
// vfork's child shares the parent's memory and works on it until exec, _Fork runs no handlers, and libc does
// not know of a raw clone. Programs with one thread allocate in all of them.
#include "outside.h"

#include <sched.h>
#include <sys/syscall.h>

int main(int count, char** arguments) {
    if (count > 1) {
        return atoi(arguments[1]);
    }
    void* volatile from_child = NULL;
    pid_t child = vfork();
    if (child == 0) {
        from_child = malloc(1000);
        free(malloc(100000));
        execl("/proc/self/exe", arguments[0], "17", NULL);
        _exit(1);
    }
    SAY("vfork and exec: %d\n", end_of(child));
    memset(from_child, 1, 1000);
    free(from_child);

    child = _Fork();
    if (child == 0) {
        _exit(churn(1000) ? 18 : 1);
    }
    SAY("_Fork: %d\n", end_of(child));

    child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        _exit(churn(1000) ? 19 : 1);
    }
    SAY("clone: %d\n", end_of(child));
    SAY("memory is fine: %d\n", churn(1000));
    return 0;
}
