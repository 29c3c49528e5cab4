// SPDX-License-Identifier: MIT
// A program that executes itself, first with a huge environment and then without it, while its threads
// allocate.
#include "outside.h"

static void* allocate(void* unused) {
    for (;;) {
        churn(300);
    }
    return unused;
}

int main(int count, char** arguments) {
    const int generation = count > 1 ? atoi(arguments[1]) : 0;
    SAY("generation %d, memory is fine: %d\n", generation, churn(2000));
    if (generation == 5) {
        return 0;
    }
    pthread_t threads[3];
    for (int i = 0; i < 3; ++i) {
        pthread_create(&threads[i], NULL, allocate, NULL);
    }
    char name[20], value[200];
    for (int i = 0; i < 500; ++i) {
        snprintf(name, sizeof name, "VARIABLE_%d", i);
        snprintf(value, sizeof value, "%0100d", i);
        if ((generation % 2 ? unsetenv(name) : setenv(name, value, 1)) != 0) {
            return 1;
        }
    }
    char number[2] = {(char)('1' + generation), 0};
    char* const next[] = {arguments[0], number, NULL};
    usleep(2000);
    execve("/proc/self/exe", next, environ);
    return 1;
}
