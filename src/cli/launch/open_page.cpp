// SPDX-License-Identifier: MIT
//
// Starts xdg-open, which is part of every desktop.
#include "cli/launch/open_page.h"

#include "text/writer.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hotlane::cli {

void open_page(const std::string& file) {
    std::string program = "xdg-open";
    std::string path = std::filesystem::absolute(file);  // no name is taken for an option
    char* arguments[] = {program.data(), path.data(), nullptr};
    pid_t process = 0;
    const int error = posix_spawnp(&process, program.c_str(), nullptr, nullptr, arguments, environ);
    if (error != 0) {
        message("report: cannot run xdg-open: ", strerror(error), "; the page is ", path);
        return;
    }
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        message("report: xdg-open cannot open ", path);
    }
}

}  // namespace hotlane::cli
