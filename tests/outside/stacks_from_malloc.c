// SPDX-License-Identifier: MIT
// Memory from malloc serves as a stack: of threads, of signal handlers, and of contexts that one thread
// starts and another one continues. It is freed and allocated again.
#include "outside.h"

#include <sys/mman.h>
#include <ucontext.h>

static volatile int handled;
static void on_signal(int signal_number) {
    char room[2000];
    memset(room, signal_number, sizeof room);
    handled += room[1999] == signal_number;
}

static void* with_signal_stack(void* unused) {
    stack_t stack = {.ss_sp = malloc((size_t)SIGSTKSZ), .ss_size = (size_t)SIGSTKSZ};
    sigaltstack(&stack, NULL);
    raise(SIGUSR1);
    const int kept = churn(300);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    free(stack.ss_sp);
    return kept ? (void*)&handled : unused;
}

static int run_threads(void) {
    int kept = 0;
    for (int i = 0; i < 20; ++i) {
        const size_t size = (size_t)(64 << i % 4) << 10;
        void* stack = aligned_alloc(4096, size);
        pthread_attr_t attributes;
        pthread_t thread;
        void* result = NULL;
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, stack, size);
        if (pthread_create(&thread, &attributes, with_signal_stack, NULL) == 0) {
            pthread_join(thread, &result);
        }
        free(stack);
        kept += result != NULL;
    }
    return kept;
}

static ucontext_t resumed, inside;
static int steps;

static void coroutine(void) {
    for (int i = 0; i < 10; ++i) {
        void* object = memset(malloc(3000), i, 3000);
        steps += churn(100);
        swapcontext(&inside, &resumed);
        steps += ((char*)object)[2999] == i;
        free(object);
    }
}

static void* resume(void* unused) {
    swapcontext(&resumed, &inside);
    return unused;
}

static void run_contexts(void) {
    getcontext(&inside);
    inside.uc_stack.ss_sp = malloc(128 << 10);
    inside.uc_stack.ss_size = 128 << 10;
    inside.uc_link = &resumed;
    makecontext(&inside, coroutine, 0);
    for (int i = 0; i < 11; ++i) {
        pthread_t thread;
        pthread_create(&thread, NULL, resume, NULL);
        pthread_join(thread, NULL);
    }
    free(inside.uc_stack.ss_sp);
}

int main(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    const int kept = run_threads();
    SAY("threads: %d, signals: %d\n", kept, handled);
    run_contexts();
    SAY("steps of the coroutine: %d\n", steps);
    return 0;
}
