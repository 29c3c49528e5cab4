// SPDX-License-Identifier: MIT
// Ten thousand threads start and end, and each leaves an object to the next. The process stays small.
#include "outside.h"

#include <sys/resource.h>

static void* work(void* previous) {
    char* own = (char*)malloc(2000);
    memset(own, 5, 2000);
    const int kept = churn(30) && (!previous || ((char*)previous)[1999] == 5);
    free(previous);
    if (!kept) {
        _exit(9);
    }
    return own;
}

int main(void) {
    void* last = NULL;
    for (int i = 0; i < 10000; ++i) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, last) != 0 || pthread_join(thread, &last) != 0) {
            return 1;
        }
    }
    free(last);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    SAY("below 100 MiB: %d\n", usage.ru_maxrss < 100 << 10);
    return 0;
}
