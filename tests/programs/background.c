// SPDX-License-Identifier: MIT
// Trap: a program allocates at start and then waits, or becomes a daemon and waits. It makes no request that
// could start the background thread, write a file that is due, or answer a signal.
// The argument names what the program does. Each case ends when it has seen the expected effect, without
// making a request for it.
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static char path[4096];

static void sleep_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

// Uses system calls only, because nothing here may allocate.
static int thread_count(void) {
    char text[1024];
    const int file = open("/proc/self/stat", O_RDONLY);
    const ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    CHECK(length > 0, "cannot read /proc/self/stat");
    text[length] = '\0';
    const char* word = strrchr(text, ')');
    for (int index = 2; index < 20; ++index) {
        word = strchr(word + 1, ' ');
    }
    return atoi(word + 1);
}

static void wait_for_threads(int count) {
    for (int i = 0; thread_count() != count; ++i) {
        CHECK(i < 500, "%d threads after 5 s, not %d", thread_count(), count);
        sleep_ms(10);
    }
}

static void wait_for_file(const char* name) {
    char full[5000];
    snprintf(full, sizeof full, "%s/%s", path, name);
    for (int i = 0; access(full, F_OK) != 0; ++i) {
        CHECK(i < 500, "no file %s after 5 s", full);
        sleep_ms(10);
    }
}

static void wait_for_own_file(const char* suffix) {
    char name[64];
    snprintf(name, sizeof name, "%d%s", getpid(), suffix);
    wait_for_file(name);
}

// Work that began while constructors ran goes on in a process that only waits.
static void threads(void) { wait_for_threads(2); }

static void file(void) { wait_for_file("live.json"); }

static void raised(void) {
    kill(getpid(), SIGUSR2);
    wait_for_file("0.heap");
}

static void finish(pid_t child) {
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child, "no child");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
}

// Like daemon() and the workers of a server: a child that never allocates.
static void forked(void) {
    const pid_t child = fork();
    if (child == 0) {
        wait_for_threads(2);
        wait_for_own_file(".json");
        const pid_t grandchild = fork();
        if (grandchild == 0) {
            wait_for_own_file(".json");
            _exit(0);
        }
        finish(grandchild);
        _exit(0);
    }
    finish(child);
}

static void* wait_for_ever(void* unused) {
    pause();
    return unused;
}

// The other threads may have held locks of libc when the process forked, so a request starts the child's
// thread.
static void forked_beside_threads(void) {
    pthread_t other;
    CHECK(pthread_create(&other, NULL, wait_for_ever, NULL) == 0, "no thread");
    wait_for_threads(3);
    const pid_t child = fork();
    if (child == 0) {
        CHECK(thread_count() == 1, "%d threads in the child", thread_count());
        for (int i = 0; i < 500 && thread_count() == 1; ++i) {
            for (size_t size = 8; size < 100000; size *= 2) {
                free(opaque(malloc(size)));
            }
            sleep_ms(1);
        }
        wait_for_threads(2);
        _exit(0);
    }
    finish(child);
}

// The process must end with the program's last thread, and not wait for ours.
static void* end_soon(void* unused) {
    sleep_ms(50);
    return unused;
}
static void main_ends_first(void) {
    pthread_t other;
    CHECK(pthread_create(&other, NULL, end_soon, NULL) == 0, "no thread");
    pthread_exit(NULL);
}

// The child's file would be the parent's, so the child has no thread to write it.
static void silent_child(void) {
    wait_for_threads(2);
    const pid_t child = fork();
    if (child == 0) {
        free(opaque(malloc(100000)));
        sleep_ms(50);
        CHECK(thread_count() == 1, "%d threads in the child", thread_count());
        _exit(0);
    }
    finish(child);
}

static const struct {
    const char* name;
    void (*run)(void);
} kCases[] = {
    {"threads", threads},
    {"file", file},
    {"raised", raised},
    {"forked", forked},
    {"main_ends_first", main_ends_first},
    {"forked_beside_threads", forked_beside_threads},
    {"silent_child", silent_child},
};

int main(int count, char** arguments) {
    CHECK(count == 2 && getenv("SCRATCH"), "usage: SCRATCH=DIRECTORY background CASE");
    snprintf(path, sizeof path, "%s", getenv("SCRATCH"));
    for (size_t i = 0; i < sizeof kCases / sizeof *kCases; ++i) {
        if (strcmp(kCases[i].name, arguments[1]) == 0) {
            free(opaque(malloc(100)));
            kCases[i].run();
            return 0;
        }
    }
    CHECK(0, "no case %s", arguments[1]);
}
