// SPDX-License-Identifier: MIT
// After chroot to an empty directory and setuid, no file can be opened any more: no /proc, no /sys, no
// libraries.
#include "outside.h"

#include <malloc.h>

static void* allocate(void* unused) { return churn(2000) ? (void*)&allocate : unused; }

int main(void) {
    const char* scratch = getenv("SCRATCH");
    if (!scratch || chroot(scratch) != 0 || chdir("/") != 0) {
        SAY("not permitted here\n");
        return 77;
    }
    be_nobody();
    SAY("opened: %d\n", fopen("/proc/self/maps", "r") != NULL);
    pthread_t threads[3];
    int good = 0;
    for (int i = 0; i < 3; ++i) {
        pthread_create(&threads[i], NULL, allocate, NULL);
    }
    for (int i = 0; i < 3; ++i) {
        void* result = NULL;
        pthread_join(threads[i], &result);
        good += result != NULL;
    }
    const pid_t child = fork();
    if (child == 0) {
        exit(churn(1000) ? 4 : 5);
    }
    SAY("threads: %d, child: %d\n", good, end_of(child));
    malloc_trim(0);
    free(opaque(malloc(100 << 20)));
    SAY("memory is fine: %d\n", churn(10000));
    return 0;
}
