// SPDX-License-Identifier: MIT
//
// Runs a program to its end, and finds the dumps that were written meanwhile.
#pragma once

#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace hotlane::cli {

/// The files that a pattern can name: %p and %n match any number, %e any name. Without %p also those of daemons.
class DumpFiles {
  public:
    /// Records the files that already exist.
    explicit DumpFiles(std::string pattern);
    /// Returns the files that were created or changed since construction.
    std::vector<std::string> written() const;

  private:
    struct Version {
        ino_t inode;
        int64_t time_ns;
        off_t size;
        auto operator<=>(const Version&) const = default;
    };
    std::map<std::string, Version> present() const;

    std::string pattern_;
    std::map<std::string, Version> before_;
};

/// How a program ended: with an exit status or by a signal.
struct ProgramEnd {
    pid_t process = 0;
    int status = 0;  // as returned by waitpid(2)
};

/// Whether a program that goes on as a daemon, by forking in a session of its own, is waited for, too.
enum class Daemons : uint8_t { left, followed };

/// Starts the program and waits for its end. Meanwhile this process ignores SIGINT and SIGQUIT, which the
/// keyboard also sends to the program, and forwards SIGTERM and SIGHUP; to a daemon it forwards all of them. Throws
/// ProgramError (program.h) when the program cannot be executed. Not thread-safe.
ProgramEnd run_to_end(const std::string& file, std::vector<std::string> arguments,
                      Daemons daemons = Daemons::left);

/// The name of the signal that ended the program, such as "SEGV", or its number. A signal must have ended it.
std::string signal_name(const ProgramEnd& end);

/// Prepares to end this process as the program ended: returns its exit status, or raises its signal.
int end_like(const ProgramEnd& end);

}  // namespace hotlane::cli
