// SPDX-License-Identifier: MIT
// Destructors of thread-specific data run again, up to four rounds, as long as they set values. A thread may
// allocate for the first time in any of them. Its stack belongs to the program, which uses it for the next
// thread and then unmaps it.
#include "outside.h"

#include <malloc.h>
#include <sys/mman.h>

enum { kStack = 256 << 10 };
static pthread_key_t key;
static char rounds[4];
static volatile int kept;

static void destroy(void* data) {
    char* rounds_left = (char*)data;
    if (rounds_left == rounds) {
        kept += churn(200);
    } else {
        pthread_setspecific(key, rounds_left - 1);
    }
}

static void* set_only(void* rounds_left) {
    pthread_setspecific(key, rounds_left);
    return NULL;
}

static void run_on(void* stack, void* rounds_left) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, kStack);
    if (pthread_create(&thread, &attributes, set_only, rounds_left) != 0 || pthread_join(thread, NULL) != 0) {
        _exit(1);
    }
}

int main(void) {
    pthread_key_create(&key, destroy);
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 20; ++i) {
            void* stack = mmap(NULL, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            run_on(stack, rounds + round);
            malloc_trim(0);
            run_on(stack, rounds + (round + i) % 4);
            munmap(stack, kStack);
            malloc_trim(0);
            free(opaque(malloc(10000)));
        }
        const pid_t child = fork();
        if (child == 0) {
            malloc_trim(0);
            _exit(churn(1000) ? round : 100);
        }
        SAY("first allocated in round %d: kept %d, child ended %d\n", round + 1, kept, end_of(child));
    }
    SAY("memory is fine: %d\n", churn(5000));
    return 0;
}
