// SPDX-License-Identifier: MIT
// Trap: the child of vfork, and of posix_spawn, runs in the parent's memory. What it does to the heap happens
// to the parent, and the handlers of fork do not run for it. Programs are started in each way while other
// threads allocate.
#include "check.h"

#include <atomic>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

extern char** environ;

namespace {

void expect_success(pid_t child, const char* way) {
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child, "%s failed", way);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status 0x%x", way, status);
}

void start_programs() {
    char name[] = "true";
    char* arguments[] = {name, nullptr};
    const pid_t forked = vfork();
    if (forked == 0) {
        execve("/bin/true", arguments, environ);
        _exit(126);
    }
    expect_success(forked, "vfork");
    pid_t spawned = 0;
    CHECK(posix_spawn(&spawned, "/bin/true", nullptr, nullptr, arguments, environ) == 0,
          "posix_spawn failed");
    expect_success(spawned, "posix_spawn");
    CHECK(system("true") == 0, "system failed");
    FILE* pipe = popen("echo text", "r");
    char line[16] = "";
    CHECK(pipe && fgets(line, sizeof line, pipe) && std::strcmp(line, "text\n") == 0, "popen read %s", line);
    CHECK(pclose(pipe) == 0, "pclose failed");
}

}  // namespace

int main() {
    std::atomic<bool> done = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&done] {
            while (!done) {
                std::vector<void*> objects;
                for (unsigned j = 0; j < 500; ++j) {
                    objects.push_back(malloc(j + 1));
                    pattern_fill(objects.back(), j + 1, j);
                }
                for (unsigned j = 0; j < 500; ++j) {
                    pattern_check(objects[j], j + 1, j);
                    free(objects[j]);
                }
            }
        });
    }
    for (int i = 0; i < 20; ++i) {
        start_programs();
    }
    done = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
