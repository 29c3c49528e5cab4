// SPDX-License-Identifier: MIT
// There are more keys of thread-specific data than the 32 whose values lie in the thread itself. Setting a
// value of a further key allocates. A thread that has set none forks while others use large and small
// objects.
#include "outside.h"

enum { kKeys = 200 };
static pthread_key_t keys[kKeys];

static void* use_keys(void* unused) {
    for (int i = 0; i < kKeys; ++i) {
        pthread_setspecific(keys[i], malloc(100 + (size_t)i));
    }
    free(opaque(malloc(300000)));
    return churn(500) ? &keys : unused;
}

static void* fork_first(void* bad) {
    const pid_t child = fork();
    if (child == 0) {
        pthread_setspecific(keys[kKeys - 1], malloc(10));
        _exit(churn(500) ? 0 : 1);
    }
    *(int*)bad += end_of(child) != 0;
    return NULL;
}

int main(void) {
    for (int i = 0; i < kKeys; ++i) {
        if (pthread_key_create(&keys[i], free) != 0) {
            return 1;
        }
    }
    int bad = 0, kept = 1;
    for (int round = 0; round < 5; ++round) {
        pthread_t user, forker;
        void* fine = NULL;
        pthread_create(&user, NULL, use_keys, NULL);
        pthread_create(&forker, NULL, fork_first, &bad);
        pthread_join(user, &fine);
        pthread_join(forker, NULL);
        kept &= fine != NULL;
    }
    fork_first(&bad);
    SAY("memory is fine: %d; children that went wrong: %d\n", kept, bad);
    return 0;
}
