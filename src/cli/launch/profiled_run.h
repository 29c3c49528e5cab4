// SPDX-License-Identifier: MIT
//
// Running a program to its end, and finding the dumps that were written meanwhile.
// Knows nothing of what dumps hold.
// Called by profile.
#pragma once

#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace hotlane::cli {

/// The files whose names a pattern can stand for: %p and %n are any number, %e is any name.
class DumpFiles {
  public:
    /// Notes what is there already.
    explicit DumpFiles(std::string pattern);
    /// What is new or was changed since then.
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

/// How a program that was started ended: its exit status, or the signal that ended it.
struct ProgramEnd {
    pid_t process = 0;
    int status = 0;  // as of waitpid(2)
};

/// Starts the program, and waits for it; meanwhile signals from the keyboard are the program's alone, and a
/// request to end is passed on to it. Throws ProgramError (program.h) when it cannot be executed.
ProgramEnd run_to_end(const std::string& file, std::vector<std::string> arguments);

/// Ends this process as the program ended: with its status, or by its signal. Returns the status to exit
/// with.
int end_like(const ProgramEnd& end);

}  // namespace hotlane::cli
