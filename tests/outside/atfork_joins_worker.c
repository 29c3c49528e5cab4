// SPDX-License-Identifier: MIT
// Does what libraries with worker threads do (OpenBLAS, gRPC): a prepare handler stops and joins the worker,
// and the handlers of the parent and the child start a new one. The worker allocates all the time.
#include "outside.h"

static pthread_t worker;
static volatile int stop;

static void* work(void* unused) {
    (void)unused;
    int kept = 1;
    while (!stop) {
        kept &= churn(300);
    }
    return kept ? &worker : NULL;
}

static void start_worker(void) {
    stop = 0;
    if (pthread_create(&worker, NULL, work, NULL) != 0) {
        SAY("no worker\n");
        _exit(1);
    }
}

static int stop_worker(void) {
    void* kept = NULL;
    stop = 1;
    pthread_join(worker, &kept);
    return kept != NULL;
}

static int kept_before_fork;

static void prepare(void) { kept_before_fork = stop_worker(); }

// Registers before any of main's code runs, as a linked library would.
__attribute__((constructor)) static void register_handlers(void) {
    pthread_atfork(prepare, start_worker, start_worker);
    start_worker();
}

int main(void) {
    for (int round = 0; round < 5; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            const int kept = churn(1000);
            _exit(kept && stop_worker() ? round : 100);
        }
        SAY("round %d: kept %d, child ended %d\n", round, kept_before_fork, end_of(child));
    }
    SAY("at last: %d\n", stop_worker());
    return 0;
}
