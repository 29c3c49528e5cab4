// SPDX-License-Identifier: MIT
// daemon() forks, the parent ends, and the child goes on in another session and starts threads.
#include "outside.h"

static void* allocate(void* unused) { return churn(3000) ? (void*)&allocate : unused; }

int main(void) {
    alarm(30);  // no test waits for a daemon, so it must end itself
    void* inherited = strdup("from before");
    if (daemon(1, 1) != 0) {
        return 1;
    }
    pthread_t thread;
    void* kept = NULL;
    pthread_create(&thread, NULL, allocate, NULL);
    pthread_join(thread, &kept);
    SAY("daemon: %s, memory is fine: %d\n", (char*)inherited, kept != NULL);
    free(inherited);
    return 0;
}
