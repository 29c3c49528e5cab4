// SPDX-License-Identifier: MIT
// Trap: a program writes a title for ps over its arguments, perhaps with text from its clients. A file that
// is named after the program (%e) must keep the name under which the program was started, and stay in its
// directory.
// This program starts itself once for each title, and checks the directory afterwards.
#include "check.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char* const kTitles[] = {"worker process", "../outside", "/", "..", "", "two\nlines \033[31m"};

static void take_title(char* argument, const char* title) {
    const size_t room = strlen(argument);
    CHECK(room > strlen(title), "the program's path is too short");
    memset(argument, 0, room);
    memcpy(argument, title, strlen(title));
    program_invocation_short_name = argument;  // so that the title is what libc calls the program
    prctl(PR_SET_NAME, title);
}

static void run(const char* self, const char* title, const char* stats_file) {
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        setenv("HOTLANE_STATS", "json", 1);
        setenv("HOTLANE_STATS_FILE", stats_file, 1);
        execl(self, self, title, (char*)NULL);
        _exit(126);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status 0x%x", title, status);
}

// Stores the only name in a directory and removes that entry; "" if there is none.
static void take_only_name(const char* path, char* name, size_t capacity) {
    name[0] = '\0';
    DIR* directory = opendir(path);
    CHECK(directory, "cannot open %s", path);
    for (struct dirent* entry; (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            CHECK(name[0] == '\0', "%s has %s and %s", path, name, entry->d_name);
            snprintf(name, capacity, "%s", entry->d_name);
            CHECK(unlinkat(dirfd(directory), name, 0) == 0, "cannot remove %s", name);
        }
    }
    closedir(directory);
}

int main(int count, char** arguments) {
    if (count > 1) {
        free(opaque(malloc(100)));
        take_title(arguments[0], arguments[1]);
        return 0;
    }
    char inside[4096];
    char stats_file[5000];
    const char* scratch = getenv("SCRATCH");
    CHECK(scratch, "SCRATCH is not set");
    snprintf(inside, sizeof inside, "%s/inside", scratch);
    snprintf(stats_file, sizeof stats_file, "%s/%%e.json", inside);
    CHECK(mkdir(inside, 0700) == 0, "cannot make %s", inside);
    for (size_t i = 0; i < sizeof kTitles / sizeof *kTitles; ++i) {
        run(arguments[0], kTitles[i], stats_file);
        char name[256];
        take_only_name(inside, name, sizeof name);
        CHECK(strcmp(name, "arguments_overwritten.json") == 0, "title %s: the file is %s", kTitles[i], name);
    }
    CHECK(rmdir(inside) == 0, "something else is in %s", inside);
    char name[256];
    take_only_name(scratch, name, sizeof name);
    CHECK(name[0] == '\0', "%s was written outside", name);
    return 0;
}
