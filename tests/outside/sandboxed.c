// SPDX-License-Identifier: MIT
// A filter of system calls such as a sandbox has: it allows memory, locks, the clock, read, write and exit.
// No file can be opened, and any other call ends the process. With the argument "threads", a second thread
// runs as well, and membarrier is allowed. With "early", the program has made one small and one large request before,
// as every C++ program has, and makes all others in the sandbox.
#include "outside.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const int allowed[] = {SYS_read,          SYS_write,        SYS_exit,          SYS_exit_group,
                              SYS_mmap,          SYS_munmap,       SYS_mremap,        SYS_mprotect,
                              SYS_madvise,       SYS_brk,          SYS_futex,         SYS_rt_sigreturn,
                              SYS_clock_gettime, SYS_gettimeofday, SYS_getpid,        SYS_newfstatat,
                              SYS_lseek,         SYS_getrandom,    SYS_rt_sigprocmask};
enum { kAllowed = sizeof allowed / sizeof *allowed };

static int enter_sandbox(int with_threads) {
    struct sock_filter rules[2 * kAllowed + 6];
    int count = 0;
    rules[count++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < kAllowed; ++i) {
        rules[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i], 0, 1);
        rules[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    if (with_threads) {
        rules[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1);
        rules[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    rules[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1);
    rules[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES);
    rules[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    const struct sock_fprog program = {(unsigned short)count, rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0;
}

static pthread_barrier_t entered;

static void* work(void* unused) {
    int kept = churn(500);
    pthread_barrier_wait(&entered);
    pthread_barrier_wait(&entered);
    for (int i = 0; i < 50; ++i) {
        kept &= churn(500);
    }
    pthread_barrier_wait(&entered);
    for (;;) {
        pthread_barrier_wait(&entered);
    }
    return kept ? (void*)&entered : unused;
}

// If there is a second thread, both wait for each other.
static void meet(int with_threads) {
    if (with_threads) {
        pthread_barrier_wait(&entered);
    }
}

int main(int count, char** arguments) {
    const int with_threads = count > 1 && strcmp(arguments[1], "threads") == 0;
    pthread_t thread;
    pthread_barrier_init(&entered, NULL, 2);
    if (with_threads) {
        pthread_create(&thread, NULL, work, NULL);
    }
    meet(with_threads);
    if (count > 1 && strcmp(arguments[1], "early") == 0) {
        SAY("before: %d\n", opaque(malloc(100)) != NULL && opaque(malloc(72704)) != NULL);
    } else {
        SAY("before: %d\n", churn(1000));
    }
    if (enter_sandbox(with_threads)) {
        SAY("no filters here\n");
        return 77;
    }
    SAY("in the sandbox\n");
    meet(with_threads);
    SAY("memory is fine: %d\n", churn(20000));
    meet(with_threads);
    malloc_trim(0);
    SAY("large: %d, impossible: %d\n", realloc(malloc(5 << 20), 50 << 20) != NULL,
        opaque(malloc(SIZE_MAX / 4)) != NULL);
    SAY("memory is fine: %d\n", churn(20000));
    _exit(0);
}
