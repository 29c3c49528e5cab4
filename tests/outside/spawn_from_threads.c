// SPDX-License-Identifier: MIT
// posix_spawn with file actions, popen and system from several threads at the same time.
#include "outside.h"

#include <fcntl.h>
#include <spawn.h>

extern char** environ;

static int spawn_to(int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    for (int i = 100; i < 120; ++i) {
        posix_spawn_file_actions_addclose(&actions, i);
    }
    char* const arguments[] = {(char*)"/bin/echo", (char*)"spawned", NULL};
    pid_t child = 0;
    const int error = posix_spawn(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : end_of(child);
}

static void* start_programs(void* good) {
    for (int i = 0; i < 5; ++i) {
        int ends[2];
        char text[100] = "", line[100] = "";
        if (pipe2(ends, O_CLOEXEC) != 0 || spawn_to(ends[1]) != 0) {
            return NULL;
        }
        close(ends[1]);
        const ssize_t got = read(ends[0], text, sizeof text - 1);
        close(ends[0]);
        *(int*)good += got == 8 && strcmp(text, "spawned\n") == 0;

        FILE* stream = popen("echo popened", "r");
        *(int*)good += stream && fgets(line, sizeof line, stream) && strcmp(line, "popened\n") == 0;
        *(int*)good += stream && pclose(stream) == 0;
        *(int*)good += WEXITSTATUS(system("exit 5")) == 5;
        *(int*)good += churn(200);
    }
    return good;
}

int main(void) {
    pthread_t threads[4];
    int good[4] = {0};
    for (int i = 0; i < 4; ++i) {
        pthread_create(&threads[i], NULL, start_programs, &good[i]);
    }
    for (int i = 0; i < 4; ++i) {
        pthread_join(threads[i], NULL);
        SAY("thread %d: %d of 25 good\n", i, good[i]);
    }
    return 0;
}
