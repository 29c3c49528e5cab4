// SPDX-License-Identifier: MIT
//
// The program to be run: where it is, and whether preloading can work in it.
// Knows nothing of hotlane's options.
// Used by run, and by whatever else starts programs on hotlane.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace hotlane::cli {

/// Why a program cannot be run on hotlane: one line for the user, and the exit status.
class ProgramError : public std::runtime_error {
  public:
    ProgramError(const std::string& what, int status) : std::runtime_error{what}, status_{status} {}
    int status() const { return status_; }

  private:
    int status_;
};

/// The file that `name` stands for, looked up in PATH as execvp(3) does. Throws ProgramError when there is
/// none, or none that may be executed.
std::string find_program(const std::string& name);

/// Throws ProgramError when the loader would not preload into the file: statically linked, another kind of
/// machine, another libc, privileged. Of a script, its interpreter is looked at.
void check_preloadable(const std::string& file);

/// Arguments as exec(3) takes them, a null pointer last. They point into `arguments`.
std::vector<char*> pointers_to(std::span<std::string> arguments);

}  // namespace hotlane::cli
