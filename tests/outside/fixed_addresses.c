// SPDX-License-Identifier: MIT
// With personality(ADDR_NO_RANDOMIZE) and an unlimited stack, the kernel lays out the process differently,
// bottom up.
#include "outside.h"

#include <sys/personality.h>
#include <sys/resource.h>

static void* allocate(void* unused) { return churn(1000) ? (void*)&allocate : unused; }

int main(int count, char** arguments) {
    if (count < 2) {
        const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        if (personality(ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT) == -1 ||
            setrlimit(RLIMIT_STACK, &unlimited) != 0) {
            SAY("not permitted here\n");
            return 77;
        }
        execl("/proc/self/exe", arguments[0], "again", NULL);
        return 1;
    }
    pthread_t thread;
    void* result = NULL;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    pthread_create(&thread, &attributes, allocate, NULL);
    pthread_join(thread, &result);
    SAY("randomized: %d, memory is fine: %d, in a thread: %d\n",
        !(personality(0xffffffff) & ADDR_NO_RANDOMIZE), churn(10000), result != NULL);
    return 0;
}
