// SPDX-License-Identifier: MIT
// Trap: the kernel takes one restartable-sequences area per thread, and libc has registered its own. An
// allocator that registers another breaks sched_getcpu and every library that uses libc's area.
// libc's area must still work in each thread.
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <sys/rseq.h>

static void* body(void* unused) {
    (void)unused;
    free(opaque(malloc(100)));
    const struct rseq* area = (const struct rseq*)((char*)__builtin_thread_pointer() + __rseq_offset);
    CHECK((int)area->cpu_id >= 0, "libc's area is not registered: cpu_id %d", (int)area->cpu_id);
    return NULL;
}

int main(void) {
    if (__rseq_size == 0) {
        dprintf(2, "this kernel or this libc has no restartable sequences\n");
        return kSkipped;
    }
    body(NULL);
    for (int i = 0; i < 10; ++i) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, body, NULL) == 0, "no thread");
        pthread_join(thread, NULL);
    }
    return 0;
}
