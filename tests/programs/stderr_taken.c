// SPDX-License-Identifier: MIT
// Trap: a daemon closes descriptor 2, and the next file that it opens gets this number. A report written to
// it at exit ends up in the middle of a database.
// This program starts itself as such a daemon, in four ways, and checks the file afterwards. A fifth daemon's
// standard error is a pipe that nobody reads; a report must not kill it by SIGPIPE. Each daemon makes a
// mistake on its way, whose message must go to the same place or nowhere.
#include "check.h"

#include <fcntl.h>
#include <sys/wait.h>

static const char kContents[] = "the daemon's own file\n";
static char path[4096];

static void open_as_stderr(void) {
    const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file == 2, "the file got descriptor %d", file);
    CHECK(write(file, kContents, sizeof kContents - 1) == sizeof kContents - 1, "write failed");
}

static void become_daemon(const char* way) {
    free(opaque(malloc(100)));
    char mistake[64];
    if (strcmp(way, "closed") == 0) {
        close(2);
    } else if (strcmp(way, "reopened") == 0) {
        close(2);
        open_as_stderr();
    } else if (strcmp(way, "replaced") == 0) {
        const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK(write(file, kContents, sizeof kContents - 1) == sizeof kContents - 1, "write failed");
        dup2(file, 2);
    } else if (strcmp(way, "broken") == 0) {
        return;
    } else {  // closed by whoever started it: the file is opened as 2 here, before or after the allocator
              // looked
        open_as_stderr();
    }
    for (int i = 0; i < 100; ++i) {
        free(opaque(malloc(1000)));
    }
    free(opaque(mistake + 16));  // not reported at all
    if (getenv("HOTLANE_GUARD")) {
        volatile char* guarded = opaque(malloc(100));
        free((void*)guarded);
        guarded[7] = 1;  // not reported either
    }
}

static void check_way(const char* self, const char* way) {
    unlink(path);
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        if (strcmp(way, "inherited") == 0) {
            close(2);
        }
        if (strcmp(way, "broken") == 0) {
            int ends[2];
            CHECK(pipe(ends) == 0, "no pipe");
            dup2(ends[1], 2);
            close(ends[0]);
            close(ends[1]);
        }
        setenv("HOTLANE_STATS", "text", 1);
        setenv("HOTLANE_ON_ERROR", "warn", 1);
        execl(self, self, way, (char*)NULL);
        _exit(126);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status 0x%x", way, status);
    if (access(path, F_OK) != 0) {
        CHECK(strcmp(way, "closed") == 0 || strcmp(way, "broken") == 0, "%s: no file", way);
        return;
    }
    char contents[4096] = "";
    const int file = open(path, O_RDONLY);
    CHECK(file >= 0 && read(file, contents, sizeof contents - 1) >= 0, "%s: no file", way);
    CHECK(strcmp(contents, kContents) == 0, "%s: the file now holds: %s", way, contents);
    close(file);
}

int main(int count, char** arguments) {
    const char* scratch = getenv("SCRATCH");
    CHECK(scratch, "SCRATCH is not set");
    snprintf(path, sizeof path, "%s/file", scratch);
    if (count > 1) {
        become_daemon(arguments[1]);
        return 0;
    }
    check_way(arguments[0], "closed");
    check_way(arguments[0], "reopened");
    check_way(arguments[0], "replaced");
    check_way(arguments[0], "inherited");
    check_way(arguments[0], "broken");
    return 0;
}
