// SPDX-License-Identifier: MIT
// Trap: guards catch SIGSEGV, which the program may use too.
// Faults that have nothing to do with guards must end the program as they would without them. A handler that
// the program installs comes first, an ignored signal stays ignored, and errno and the program's memory are
// unchanged. Guarded objects behave like other objects, also when there are no slots left.
#include "check.h"

#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

static void null_access(void) { *(volatile int*)opaque(NULL) = 1; }

static void sent_signal(void) {
    kill(getpid(), SIGSEGV);
    pause();
}

// This case is started with SIGSEGV ignored.
static void ignored_signal(void) {
    kill(getpid(), SIGSEGV);
    raise(SIGSEGV);
}

static void ignored_then_access(void) {
    ignored_signal();
    null_access();
}

static sigjmp_buf back;
static volatile uintptr_t fault_address;

static void jump_back(int number, siginfo_t* info, void* context) {
    (void)number, (void)context;
    fault_address = (uintptr_t)info->si_addr;
    siglongjmp(back, 1);
}

// Like programs that install a handler without saving the previous one.
static void own_handler(void) {
    struct sigaction action = {.sa_sigaction = jump_back, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
    volatile char* p = opaque(malloc(100));
    free(opaque((void*)p));
    if (sigsetjmp(back, 1) == 0) {
        p[9] = 1;
        CHECK(0, "an object could be written to after its free");
    }
    CHECK(fault_address == (uintptr_t)p + 9, "fault at %p, not in %p", (void*)fault_address, (void*)p);
}

static int fill_stack(int depth) {
    volatile char frame[16384];
    frame[0] = (char)depth;
    int (*volatile again)(int) = fill_stack;
    return again(depth + 1) + frame[0];
}

// No stack is left when this faults, so the handler runs on the alternate stack.
static void stack_overflow(void) {
    static char memory[65536];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    fill_stack(0);
}

static void behaves_as_others(void) {
    enum { kObjects = 400 };  // more than there are slots
    static char* objects[kObjects];
    for (int round = 0; round < 5; ++round) {
        for (unsigned i = 0; i < kObjects; ++i) {
            const size_t size = 1 + i * 7 % 3000;
            errno = 123;
            objects[i] = opaque(i % 3 == 0 ? calloc(1, size) : malloc(size));
            CHECK(errno == 123, "malloc changed errno to %d", errno);
            CHECK((uintptr_t)objects[i] % 64 == 0, "%p is not aligned to 64", (void*)objects[i]);
            CHECK(i % 3 != 0 || all_bytes_are(objects[i], size, 0), "calloc is not zero");
            const size_t usable = malloc_usable_size(objects[i]);
            CHECK(usable >= size && usable == malloc_usable_size(objects[i]), "usable size of %zu is %zu",
                  size, usable);
            pattern_fill(objects[i], usable, i);
        }
        for (unsigned i = 0; i < kObjects; ++i) {
            const size_t size = malloc_usable_size(objects[i]);
            pattern_check(objects[i], size, i);
            objects[i] = opaque(realloc(objects[i], size * 2));
            pattern_check(objects[i], size, i);
            errno = 123;
            free(objects[i]);
            CHECK(errno == 123, "free changed errno to %d", errno);
        }
    }
}

static const struct {
    const char* name;
    void (*run)(void);
} cases[] = {
    {"null_access", null_access},
    {"sent_signal", sent_signal},
    {"ignored_signal", ignored_signal},
    {"ignored_then_access", ignored_then_access},
    {"own_handler", own_handler},
    {"stack_overflow", stack_overflow},
    {"behaves_as_others", behaves_as_others},
};

int main(int argc, char** argv) {
    CHECK(argc >= 2, "which case?");
    if (argc == 2 && strncmp(argv[1], "ignored", 7) == 0) {
        signal(SIGSEGV, SIG_IGN);  // kept by the new program
        execl("/proc/self/exe", argv[0], argv[1], "again", NULL);
    }
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    }
    CHECK(0, "no case %s", argv[1]);
}
