// SPDX-License-Identifier: MIT
// Gives counters.py processes to observe: "fork" forks children that exit by exit(), "exec" starts itself
// again, "plain" ends. Each allocates a little.
#include "check.h"

#include <malloc.h>
#include <sys/wait.h>

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: reports plain|fork|exec|malloc_stats|malloc_info");
    for (int i = 0; i < 20000; ++i) {
        free(opaque(malloc(100)));
    }
    if (std::strcmp(arguments[1], "malloc_stats") == 0) {
        malloc_stats();
        return 0;
    }
    if (std::strcmp(arguments[1], "malloc_info") == 0) {
        CHECK(malloc_info(0, stdout) == 0, "malloc_info failed");
        return 0;
    }
    for (int i = 0; i < 3 && std::strcmp(arguments[1], "plain") != 0; ++i) {
        const pid_t child = fork();
        CHECK(child >= 0, "fork failed");
        if (child == 0) {
            free(opaque(malloc(200)));
            if (std::strcmp(arguments[1], "exec") == 0) {
                execl(arguments[0], arguments[0], "plain", static_cast<char*>(nullptr));
            }
            std::exit(3);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child, "waitpid failed");
    }
    dprintf(1, "%d\n", getpid());
    return 0;
}
