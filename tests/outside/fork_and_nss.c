// SPDX-License-Identifier: MIT
// Threads look up users and addresses for the first time, so libc reads its configuration and allocates.
// Meanwhile the process forks, so libc copies that configuration under its lock. Each round runs in a process
// of its own, because libc reads the configuration only once.
#include "outside.h"

#include <netdb.h>
#include <pwd.h>

enum { kRounds = 30, kForks = 8, kSeconds = 60 };

static volatile int stop;

static void* look_up(void* unused) {
    char buffer[4096];
    struct passwd user;
    struct passwd* found = NULL;
    struct addrinfo* addresses = NULL;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    do {
        getpwuid_r(0, &user, buffer, sizeof buffer, &found);
        if (getaddrinfo("localhost", "80", &hints, &addresses) == 0) {
            freeaddrinfo(addresses);
        }
    } while (!stop);
    return unused;
}

static int run_round(void) {
    pthread_t threads[2];
    alarm(kSeconds);
    for (int i = 0; i < 2; ++i) {
        pthread_create(&threads[i], NULL, look_up, NULL);
    }
    int bad = 0;
    for (int i = 0; i < kForks; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(kSeconds);
            _exit(churn(50) ? 0 : 1);
        }
        bad += end_of(child) != 0;
    }
    stop = 1;
    for (int i = 0; i < 2; ++i) {
        pthread_join(threads[i], NULL);
    }
    return bad;
}

int main(void) {
    int bad = 0;
    for (int i = 0; i < kRounds; ++i) {
        const pid_t round = fork();
        if (round == 0) {
            _exit(run_round());
        }
        bad += end_of(round) != 0;
    }
    SAY("rounds that went wrong: %d\n", bad);
    return 0;
}
