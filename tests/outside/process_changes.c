// SPDX-License-Identifier: MIT
// A program may overwrite its arguments, clear its environment, rename itself, and disable huge pages and
// core dumps.
#include "outside.h"

#include <sys/prctl.h>

extern char** environ;

static void* allocate(void* unused) { return churn(500) ? (void*)&allocate : unused; }

int main(int count, char** arguments) {
    char* last = arguments[count - 1] + strlen(arguments[count - 1]);
    memset(arguments[0], 'x', (size_t)(last - arguments[0]));
    SAY("arguments overwritten, memory is fine: %d\n", churn(500));
    for (char** variable = environ; *variable; ++variable) {
        memset(*variable, 'y', strlen(*variable));
    }
    SAY("environment overwritten, memory is fine: %d\n", churn(500));
    clearenv();
    SAY("environment cleared, memory is fine: %d\n", churn(500));
    putenv((char*)"NAME=value");
    SAY("putenv: %s\n", getenv("NAME"));
    environ = NULL;
    program_invocation_name = program_invocation_short_name = (char*)"../else/where";
    SAY("renamed: %d\n", prctl(PR_SET_NAME, "re/named"));
    SAY("no huge pages: %d\n", prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
    SAY("no dumps: %d\n", prctl(PR_SET_DUMPABLE, 0));
    pthread_t thread;
    void* result = NULL;
    pthread_create(&thread, NULL, allocate, NULL);
    pthread_join(thread, &result);
    SAY("memory is fine: %d\n", result != NULL && churn(5000));
    return 0;
}
