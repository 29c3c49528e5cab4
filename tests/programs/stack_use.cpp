// SPDX-License-Identifier: MIT
// Trap: a thread may have a stack of 16 KiB, of which thread-local variables take a part. What an allocator does
// now and then in such a thread, such as writing a report or a profile, overflows the stack if it needs much of it.
// The memory below may be the stack of another thread.
// Here a thread allocates and frees for a while, and then measures how deep its stack was used. It does so in a child
// that it forked and that cannot create threads. Such a child has no background thread of the allocator, so this
// thread does everything that is due.
//
// Arguments: how many bytes of stack may be used.
#include "check.h"
#include "stack_depth.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr long kRunForMs = 400;

unsigned char* stack = nullptr;

long now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

[[gnu::noinline]] void allocate_and_free() {
    void* objects[32];
    for (size_t i = 0; i < 32; ++i) {
        objects[i] = opaque(malloc(i % 8 == 7 ? 100'000 : 100 << (i % 8)));
    }
    for (void* object : objects) {
        free(object);
    }
    free(opaque(calloc(10, 1000)));
    free(opaque(aligned_alloc(4096, 8192)));
    free(realloc(opaque(malloc(70'000)), 200'000));
}

[[gnu::noinline]] void run() {
    for (const long end = now_ms() + kRunForMs; now_ms() < end;) {
        allocate_and_free();
    }
}

/// Makes clone() and clone3() fail with EAGAIN, as they do when there are too many threads.
void forbid_threads() {
    constexpr auto kAgain = static_cast<unsigned>(SECCOMP_RET_ERRNO | EAGAIN);
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kAgain),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{sizeof rules / sizeof rules[0], rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "privileges cannot be given up");
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "no filter");
}

void* measure(void* allowed_text) {
    const pid_t child = fork();
    CHECK(child >= 0, "no child");
    if (child != 0) {
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);
        return nullptr;
    }
    forbid_threads();
    const ptrdiff_t used = stack_depth_of(run, stack);
    const long allowed = atol(static_cast<const char*>(allowed_text));
    CHECK(used <= allowed, "%td bytes of stack were used, %ld are allowed", used, allowed);
    _exit(0);
}

void* wait_for_ever(void*) {
    for (;;) {
        pause();
    }
}

}  // namespace

int main(int, char** arguments) {
    for (int i = 0; i < 2; ++i) {
        pthread_t thread;
        CHECK(pthread_create(&thread, nullptr, wait_for_ever, nullptr) == 0, "no thread");
    }
    stack = static_cast<unsigned char*>(
        mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(stack != MAP_FAILED, "no memory");
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstack(&attributes, stack, kStackBytes) == 0, "no stack");
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, measure, arguments[1]) == 0, "no thread");
    CHECK(pthread_join(thread, nullptr) == 0, "no end");
    return 0;
}
