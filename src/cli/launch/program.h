// SPDX-License-Identifier: MIT
//
// Finds the program to run, and checks that a library can be preloaded into it.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace hotlane::cli {

/// A program cannot be run with hotlane. Has one line for the user and an exit status.
class ProgramError : public std::runtime_error {
  public:
    ProgramError(const std::string& what, int status) : std::runtime_error{what}, status_{status} {}
    int status() const { return status_; }

  private:
    int status_;
};

/// Returns the file of the program, which is searched in PATH as execvp(3) does. Throws ProgramError when
/// there is none that can be executed.
std::string find_program(const std::string& name);

/// Throws ProgramError when the loader would not preload into the file: it is statically linked, built for
/// another machine or C library, or privileged. For a script, the interpreter is checked.
void check_preloadable(const std::string& file);

/// Returns the arguments as exec(3) expects them, with a null pointer at the end. The pointers refer to
/// `arguments`.
std::vector<char*> pointers_to(std::span<std::string> arguments);

}  // namespace hotlane::cli
