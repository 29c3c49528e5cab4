// SPDX-License-Identifier: MIT
// Trap: an object is overrun or used after its free in production only, and the program crashes much later
// and elsewhere.
// With HOTLANE_GUARD=1, the first requests of the program are guarded. Each case, chosen by name, makes one
// mistake with a guarded object. The table in meson.build has the expected message and the expected end. If
// the mistake only gives a warning, the heap must be intact afterwards.
#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { kOsPage = 4096 };

// Returns an object of `size` bytes that ends (or begins) beside its guard page. Others are freed; a free
// slot is not used again before all others were.
static volatile char* beside_guard(size_t size, int right) {
    for (int i = 0; i < 100; ++i) {
        char* p = opaque(malloc(size));
        const uintptr_t edge = (uintptr_t)p + (right ? (size + 63) / 64 * 64 : 0);
        if (edge % kOsPage == 0) {
            return p;
        }
        free(p);
    }
    CHECK(0, "no object of %zu bytes lies beside a guard page", size);
    return NULL;
}

static void drop(volatile char* p) { free(opaque((void*)p)); }

static void overflow_write(void) {
    volatile char* p = beside_guard(128, 1);
    p[128] = 1;
    drop(p);
}

static void overflow_read(void) {
    volatile char* p = beside_guard(8192, 1);
    (void)p[8192 + 100];
    drop(p);
}

static void underflow_write(void) {
    volatile char* p = beside_guard(100, 0);
    p[-1] = 1;
    drop(p);
}

static void underflow_read(void) {
    volatile char* p = beside_guard(100, 0);
    (void)p[-8];
    drop(p);
}

// Within the 28 bytes that the alignment to 64 leaves unused. The overrun is detected when the object is
// freed.
static void overflow_by_one(void) {
    volatile char* p = beside_guard(100, 1);
    p[100] = 0;
    drop(p);
}

static void use_after_free_write(void) {
    volatile char* p = opaque(malloc(100));
    drop(p);
    p[7] = 1;
    p[8] = 1;  // only one access per object is reported
}

static void use_after_free_read(void) {
    volatile char* p = opaque(malloc(65536));
    p[60000] = 3;
    drop(p);
    CHECK(p[60000] == 3, "the program goes on with other contents");
}

static void use_after_realloc(void) {
    volatile char* p = opaque(malloc(100));
    p[0] = 5;
    char* q = opaque(realloc((void*)p, 101));
    CHECK(q[0] == 5, "realloc lost a byte");
    (void)p[0];
    free(q);
}

static void* free_it(void* p) {
    free(p);
    return NULL;
}

static void free_in_other_thread(void) {
    volatile char* p = opaque(malloc(300));
    pthread_t other;
    CHECK(pthread_create(&other, NULL, free_it, (void*)p) == 0, "no thread");
    pthread_join(other, NULL);
    (void)p[299];
}

static void free_twice(void) {
    volatile char* p = opaque(malloc(100));
    drop(p);
    drop(p);
}

static void free_interior(void) {
    volatile char* p = opaque(malloc(128));
    drop(p + 64);
    drop(p);
}

static void realloc_freed(void) {
    volatile char* p = opaque(malloc(100));
    drop(p);
    CHECK(realloc(opaque((void*)p), 200) == NULL && errno == ENOMEM, "a freed object was moved");
}

static void usable_size_freed(void) {
    volatile char* p = opaque(malloc(100));
    drop(p);
    CHECK(malloc_usable_size(opaque((void*)p)) == 0, "a freed object has a size");
}

// The report names the child. The parent's object is a different one.
static void in_forked_child(void) {
    volatile char* p = opaque(malloc(100));
    const pid_t child = fork();
    if (child == 0) {
        drop(p);
        (void)p[5];
        _exit(9);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child, "no child");
    p[5] = 1;
    drop(p);
    if (WIFSIGNALED(status)) {
        raise(WTERMSIG(status));
    }
    CHECK(WEXITSTATUS(status) == 9, "the child ended with %d", status);
}

// On a signal stack that has room for little more than the kernel's own frame.
static void on_signal_stack(void) {
    const size_t bytes = (size_t)sysconf(_SC_MINSIGSTKSZ) + 6144;
    stack_t stack = {.ss_size = bytes};
    char* memory = mmap(NULL, 65536 + kOsPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mprotect(memory, kOsPage, PROT_NONE) == 0, "mprotect");
    stack.ss_sp = memory + kOsPage;
    CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    use_after_free_write();
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static struct sigaction previous;

static void pass_on(int number, siginfo_t* info, void* context) {
    CHECK((previous.sa_flags & SA_SIGINFO) != 0, "no handler was there before");
    previous.sa_sigaction(number, info, context);
}

static void set_handler(void (*handler)(int, siginfo_t*, void*)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSEGV, &action, &previous) == 0, "sigaction");
}

static void handler_passes_on(void) {
    set_handler(pass_on);
    use_after_free_write();
}

static const struct {
    const char* name;
    void (*run)(void);
} cases[] = {
    {"overflow_write", overflow_write},
    {"overflow_read", overflow_read},
    {"underflow_write", underflow_write},
    {"underflow_read", underflow_read},
    {"overflow_by_one", overflow_by_one},
    {"use_after_free_write", use_after_free_write},
    {"use_after_free_read", use_after_free_read},
    {"use_after_realloc", use_after_realloc},
    {"free_in_other_thread", free_in_other_thread},
    {"free_twice", free_twice},
    {"free_interior", free_interior},
    {"realloc_freed", realloc_freed},
    {"usable_size_freed", usable_size_freed},
    {"in_forked_child", in_forked_child},
    {"on_signal_stack", on_signal_stack},
    {"handler_passes_on", handler_passes_on},
};

int main(int argc, char** argv) {
    CHECK(argc == 2, "which case?");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            for (int round = 0; round < 1000; ++round) {
                free(opaque(malloc((size_t)round)));
            }
            return 0;
        }
    }
    CHECK(0, "no case %s", argv[1]);
}
