// SPDX-License-Identifier: MIT
// Trap: a thread makes a mistake with a guarded object while another thread is inside the loader. The report
// must be written all the same. It is written in a signal handler and may not wait for a lock of the loader,
// which the other thread may hold until the first one goes on. For the same reason, malloc and free of
// guarded objects may not wait for that lock.
//
//   guard_beside_loader listing       the other thread is in a callback of dl_iterate_phdr
//   guard_beside_loader constructor   it is in dlopen, in the constructor of a library
#include "check.h"

#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

enum { kBytes = 100, kSeconds = 10 };

static sem_t is_inside;
static sem_t is_done;

static void* use_after_free(void* unused) {
    sem_wait(&is_inside);
    volatile char* p = opaque(malloc(kBytes));
    free((void*)p);
    p[7] = 1;
    sem_post(&is_done);
    return unused;
}

// Called while the thread is inside the loader.
void let_the_other_go_on(void);
void let_the_other_go_on(void) {
    struct timespec late;
    clock_gettime(CLOCK_REALTIME, &late);
    late.tv_sec += kSeconds;
    sem_post(&is_inside);
    CHECK(sem_timedwait(&is_done, &late) == 0, "the other thread waits for the loader");
}

static int list(struct dl_phdr_info* info, size_t size, void* unused) {
    (void)info, (void)size, (void)unused;
    let_the_other_go_on();
    return 1;
}

int main(int argc, char** argv) {
    CHECK(argc == 2, "which case?");
    CHECK(sem_init(&is_inside, 0, 0) == 0 && sem_init(&is_done, 0, 0) == 0, "sem_init");
    pthread_t other;
    CHECK(pthread_create(&other, NULL, use_after_free, NULL) == 0, "no thread");
    if (strcmp(argv[1], "listing") == 0) {
        dl_iterate_phdr(list, NULL);
    } else {
        CHECK(dlopen("waiting.so", RTLD_NOW) != NULL, "%s", dlerror());
    }
    pthread_join(other, NULL);
    return 0;
}
