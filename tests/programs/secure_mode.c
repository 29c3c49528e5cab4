// SPDX-License-Identifier: MIT
// Trap: a set-user-id program that obeys its caller's environment writes files where the caller points.
// This program, linked to the library, makes a set-user-id copy of itself for another user and runs it with a
// report requested. No file may appear. Needs root and a file system that honours the bit.
#include "check.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void copy_self(const char* to) {
    static char buffer[1 << 16];
    const int from_file = open("/proc/self/exe", O_RDONLY);
    const int to_file = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    CHECK(from_file >= 0 && to_file >= 0, "cannot copy to %s", to);
    for (ssize_t got; (got = read(from_file, buffer, sizeof buffer)) > 0;) {
        CHECK(write(to_file, buffer, (size_t)got) == got, "write failed");
    }
    close(to_file);
    close(from_file);
}

static int run(const char* program, const char* stats_file) {
    const pid_t child = fork();
    if (child == 0) {
        setenv("HOTLANE_STATS", "json", 1);
        setenv("HOTLANE_STATS_FILE", stats_file, 1);
        execl(program, program, "again", (char*)NULL);
        _exit(126);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

int main(int count, char** arguments) {
    (void)arguments;
    free(opaque(malloc(100)));
    if (count > 1) {
        return getauxval(AT_SECURE) ? 50 : 51;
    }
    const char* scratch = getenv("SCRATCH");
    CHECK(scratch, "SCRATCH is not set");
    char copy[4096];
    char plain_file[4200];
    char secure_file[4200];
    snprintf(copy, sizeof copy, "%s/copy", scratch);
    snprintf(plain_file, sizeof plain_file, "%s/plain.json", scratch);
    snprintf(secure_file, sizeof secure_file, "%s/secure.json", scratch);
    copy_self(copy);
    CHECK(chmod(scratch, 0777) == 0, "chmod failed");
    if (chown(copy, 65534, 65534) != 0 || chmod(copy, 04755) != 0 || run(copy, secure_file) != 50) {
        dprintf(2, "no set-user-id programs here (not root, or the file system ignores the bit)\n");
        return kSkipped;
    }
    CHECK(access(secure_file, F_OK) != 0, "the report was written for a set-user-id program");
    CHECK(chmod(copy, 0755) == 0 && run(copy, plain_file) == 51, "the copy does not run without the bit");
    CHECK(access(plain_file, F_OK) == 0, "no report without the bit either: this test shows nothing");
    return 0;
}
