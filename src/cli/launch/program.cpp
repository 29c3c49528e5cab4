// SPDX-License-Identifier: MIT
//
// Finds a program, and reads the header of its file as the kernel and the loader do.
#include "cli/launch/program.h"

#include "cli/launch/exit_status.h"

#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <link.h>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

constexpr unsigned char kOurClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
    throw ProgramError{file + " " + why, kCannotRun};
}

/// The parts of an ELF header that matter here.
struct Elf {
    bool ours = false;  // of the same class (32 or 64 bits) as this command
    uint16_t machine = EM_NONE;
    std::string loader;  // empty when the file names none
};

/// Returns nothing when the file is not an ELF file.
std::optional<Elf> read_elf(const std::string& file) {
    std::ifstream in{file, std::ios::binary};
    Header header{};
    in.read(reinterpret_cast<char*>(&header), sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        return {};
    }
    if (!in) {
        refuse(file, "is a truncated ELF file");
    }
    Elf elf;
    elf.ours = header.e_ident[EI_CLASS] == kOurClass;
    elf.machine = header.e_machine;
    for (unsigned i = 0; elf.ours && i < header.e_phnum; ++i) {
        Segment segment{};
        in.seekg(static_cast<std::streamoff>(header.e_phoff + i * sizeof segment));
        if (in.read(reinterpret_cast<char*>(&segment), sizeof segment) && segment.p_type == PT_INTERP) {
            in.seekg(static_cast<std::streamoff>(segment.p_offset));
            std::getline(in, elf.loader, '\0');
        }
        in.clear();
    }
    return elf;
}

const Elf& own_elf() {
    static const Elf elf = read_elf("/proc/self/exe").value_or(Elf{});
    return elf;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void check_elf(const std::string& file, const Elf& elf) {
    if (!elf.ours || elf.machine != own_elf().machine) {
        refuse(file, "is built for another kind of machine than libhotlane.so");
    }
    // The loader itself can be run as a program; it obeys LD_PRELOAD.
    if (elf.loader.empty() && base_name(file) != base_name(own_elf().loader)) {
        refuse(file, "is statically linked, so nothing can be preloaded into it; link it with libhotlane.a");
    }
    if (!elf.loader.empty() && base_name(elf.loader) != base_name(own_elf().loader)) {
        refuse(file, "is loaded by " + elf.loader + ", which is not the C library of libhotlane.so");
    }
}

/// Refuses files whose execution changes the user, the group or the capabilities, because the loader then
/// ignores LD_PRELOAD.
void check_unprivileged(const std::string& file) {
    struct stat status {};
    if (stat(file.c_str(), &status) != 0) {
        return;
    }
    if ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid()) {
        refuse(file, "is setuid, so the loader preloads nothing into it");
    }
    if ((status.st_mode & S_ISGID) != 0 && status.st_gid != getgid()) {
        refuse(file, "is setgid, so the loader preloads nothing into it");
    }
    if (getuid() != 0 && getxattr(file.c_str(), "security.capability", nullptr, 0) > 0) {
        refuse(file, "has file capabilities, so the loader preloads nothing into it");
    }
}

/// Returns the interpreter in the first line of a script, or nothing when the file is not a script.
std::string interpreter_of(const std::string& file) {
    std::ifstream in{file, std::ios::binary};
    std::string line;
    std::string interpreter;
    if (in.get() == '#' && in.get() == '!' && std::getline(in, line)) {
        std::istringstream{line} >> interpreter;
    }
    return interpreter;
}

bool is_executable_file(const std::string& file) {
    std::error_code error;
    return std::filesystem::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0;
}

/// Throws the error for a file that is missing or not executable, with its exit status.
[[noreturn]] void refuse_path(const std::string& file) {
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (!std::filesystem::exists(status)) {
        throw ProgramError{file + ": " + (error ? error.message() : "No such file or directory"),
                           error == std::errc::permission_denied ? kCannotRun : kNotFound};
    }
    refuse(file, std::filesystem::is_directory(status) ? "is a directory" : "is not executable");
}

}  // namespace

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        if (!is_executable_file(name)) {
            refuse_path(name);
        }
        return name;
    }
    const char* path = getenv("PATH");
    std::istringstream directories{path == nullptr ? "/bin:/usr/bin" : path};
    std::string not_executable;
    for (std::string directory; std::getline(directories, directory, ':');) {
        std::string file = (directory.empty() ? "." : directory) + "/" + name;
        std::error_code error;
        if (is_executable_file(file)) {
            return file;
        }
        if (std::filesystem::is_regular_file(file, error)) {
            not_executable = file;
        }
    }
    if (!not_executable.empty()) {
        refuse(not_executable, "is not executable");
    }
    throw ProgramError{"cannot find " + name + " in PATH", kNotFound};
}

void check_preloadable(const std::string& file) {
    constexpr int kMostInterpreters = 4;  // the kernel's limit
    std::string current = file;
    for (int i = 0; i <= kMostInterpreters; ++i) {
        // The kernel ignores the setuid bits of a script, so those of the interpreter count.
        if (const auto elf = read_elf(current)) {
            check_unprivileged(current);
            check_elf(current, *elf);
            return;
        }
        const std::string interpreter = interpreter_of(current);
        if (interpreter.empty()) {
            // A script without an interpreter: execvp(3) runs it with the shell, an ordinary program.
            return;
        }
        if (!is_executable_file(interpreter)) {
            refuse(current, "names an interpreter that cannot be executed: " + interpreter);
        }
        current = interpreter;
    }
}

std::vector<char*> pointers_to(std::span<std::string> arguments) {
    std::vector<char*> pointers;
    pointers.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) {
        pointers.push_back(argument.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace hotlane::cli
