// SPDX-License-Identifier: MIT
//
// Runs a program with fork, exec and wait, and compares a directory before and after.
#include "cli/launch/profiled_run.h"

#include "cli/launch/exit_status.h"
#include "cli/launch/program.h"
#include "text/writer.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fnmatch.h>
#include <fstream>
#include <iterator>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

namespace fs = std::filesystem;

/// Returns the pattern as a glob for fnmatch(3).
std::string as_glob(const std::string& name) {
    std::string glob;
    for (size_t i = 0; i < name.size(); ++i) {
        const char next = i + 1 < name.size() ? name[i + 1] : '\0';
        if (name[i] == '%' && (next == 'p' || next == 'n' || next == 'e')) {
            glob += next == 'e' ? "*" : "[0-9]*";
            ++i;
        } else if (name[i] == '%' && next == '%') {
            glob += '%';
            ++i;
        } else {
            glob += std::string_view{"*?[\\"}.find(name[i]) != std::string_view::npos ? "\\" : "";
            glob += name[i];
        }
    }
    return glob;
}

volatile sig_atomic_t running_program = 0;

void pass_on(int signal) {
    if (running_program != 0) {
        kill(running_program, signal);
    }
}

/// Sets the handling of signals while the program runs, and restores it in the destructor.
class SignalsOfTheProgram {
  public:
    SignalsOfTheProgram() {
        struct sigaction action {};
        for (Saved& saved : saved_) {
            action.sa_handler = saved.passed_on ? pass_on : SIG_IGN;
            sigaction(saved.signal, &action, &saved.before);
        }
    }
    ~SignalsOfTheProgram() { put_back(); }
    SignalsOfTheProgram(const SignalsOfTheProgram&) = delete;
    SignalsOfTheProgram& operator=(const SignalsOfTheProgram&) = delete;

    /// Also called in the child, before it executes the program.
    void put_back() const {
        for (const Saved& saved : saved_) {
            sigaction(saved.signal, &saved.before, nullptr);
        }
    }

    /// A daemon is in another session, so the keyboard's signals do not reach it by themselves.
    void pass_on_keys() const {
        struct sigaction action {};
        action.sa_handler = pass_on;
        for (const Saved& saved : saved_) {
            sigaction(saved.signal, &action, nullptr);
        }
    }

  private:
    struct Saved {
        int signal;
        bool passed_on;
        struct sigaction before;
    };
    // Signals from the keyboard reach the program directly.
    Saved saved_[4] = {{SIGINT, false, {}}, {SIGQUIT, false, {}}, {SIGTERM, true, {}}, {SIGHUP, true, {}}};
};

void wait_for(pid_t process, int& status) {
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
}

/// The children of this process: the program, and what its processes left behind.
std::vector<pid_t> children() {
    const pid_t self = getpid();
    std::ifstream file{"/proc/" + std::to_string(self) + "/task/" + std::to_string(self) + "/children"};
    return {std::istream_iterator<pid_t>{file}, {}};
}

/// The file that a process runs.
struct Executable {
    explicit Executable(const std::string& path) {
        if (struct stat status{}; stat(path.c_str(), &status) == 0) {
            device = status.st_dev;
            inode = status.st_ino;
        }
    }
    static Executable of(pid_t process) { return Executable{"/proc/" + std::to_string(process) + "/exe"}; }
    explicit operator bool() const { return inode != 0; }
    bool operator==(const Executable&) const = default;

    dev_t device = 0;
    ino_t inode = 0;
};

/// Returns a process that the program left behind and that is a daemon: it runs the same file, in a session of its
/// own. A moment may pass until it is; other processes are not waited for. Returns 0 if there is none.
pid_t find_daemon(const Executable& program) {
    constexpr int kMostTries = 200;
    constexpr useconds_t kPauseUs = 10'000;
    for (int tries = 0; tries < kMostTries; ++tries) {
        const std::vector<pid_t> all = children();
        // The end of a parent and the adoption of its child may fall between two lines of the list.
        constexpr int kTriesForAny = 10;
        bool is_possible = !all.empty() && tries < kTriesForAny;
        for (const pid_t child : all) {
            if (program && Executable::of(child) == program) {
                is_possible = true;
                if (getsid(child) != getsid(0)) {
                    return child;
                }
            }
        }
        if (!is_possible) {
            return 0;
        }
        usleep(kPauseUs);
    }
    return 0;
}

void say_who_is_followed(pid_t daemon, const std::string& name) {
    message("profile: ", name, " goes on as a daemon, process ", std::to_string(daemon),
            "; waiting for its end (Ctrl-C is passed on to it)");
}

/// Whether the process still runs after a tenth of a second. Some only start the daemon.
bool stays(pid_t process) {
    constexpr useconds_t kPauseUs = 100'000;
    usleep(kPauseUs);
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

/// Waits for the daemons that the program has become.
void follow_daemons(const Executable& program, const std::string& name, const SignalsOfTheProgram& signals) {
    while (const pid_t daemon = find_daemon(program)) {
        running_program = daemon;
        signals.pass_on_keys();
        if (stays(daemon)) {
            say_who_is_followed(daemon, name);
        }
        int status = 0;
        wait_for(daemon, status);
        running_program = 0;
    }
}

}  // namespace

DumpFiles::DumpFiles(std::string pattern) : pattern_{std::move(pattern)}, before_{present()} {}

std::map<std::string, DumpFiles::Version> DumpFiles::present() const {
    const fs::path pattern{pattern_};
    const std::string glob = as_glob(pattern.filename());
    std::map<std::string, Version> files;
    std::error_code error;
    // The library adds its process id to the name of a daemon's dump.
    const std::string daemon_glob = pattern_.find("%p") == std::string::npos ? glob + ".[0-9]*" : glob;
    for (const auto& entry : fs::directory_iterator{pattern.parent_path(), error}) {
        struct stat status {};
        const std::string name = entry.path().filename();
        const bool is_dump =
            fnmatch(glob.c_str(), name.c_str(), 0) == 0 || fnmatch(daemon_glob.c_str(), name.c_str(), 0) == 0;
        if (is_dump && stat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            constexpr int64_t kSecond = 1'000'000'000;
            files[entry.path()] = {status.st_ino, status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec,
                                   status.st_size};
        }
    }
    return files;
}

std::vector<std::string> DumpFiles::written() const {
    std::vector<std::string> files;
    for (const auto& [file, version] : present()) {
        const auto before = before_.find(file);
        if (before == before_.end() || before->second != version) {
            files.push_back(file);
        }
    }
    return files;
}

ProgramEnd run_to_end(const std::string& file, std::vector<std::string> arguments, Daemons daemons) {
    const std::vector<char*> argv = pointers_to(arguments);
    int failure[2];
    if (pipe2(failure, O_CLOEXEC) != 0) {
        throw ProgramError{std::string{"pipe: "} + strerror(errno), kFailed};
    }
    if (daemons == Daemons::followed) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);  // what the program leaves behind becomes a child of this process
    }
    const SignalsOfTheProgram signals;
    const pid_t child = fork();
    if (child == 0) {
        signals.put_back();
        execvp(file.c_str(), argv.data());
        const int error = errno;
        const ssize_t ignored = write(failure[1], &error, sizeof error);
        _exit(ignored == sizeof error ? kCannotRun : kFailed);
    }
    const int fork_error = errno;
    close(failure[1]);
    running_program = child > 0 ? child : 0;
    int error = 0;
    ssize_t count = 0;
    // Executing the program closes the pipe; a failure sends the error number.
    do {
        count = read(failure[0], &error, sizeof error);
    } while (count < 0 && errno == EINTR);
    const bool failed = count == sizeof error;
    close(failure[0]);
    if (child < 0) {
        throw ProgramError{std::string{"fork: "} + strerror(fork_error), kFailed};
    }
    const Executable running = Executable::of(child);  // of a script, its interpreter
    ProgramEnd end{child, 0};
    wait_for(child, end.status);
    running_program = 0;
    if (!failed && daemons == Daemons::followed) {
        follow_daemons(running ? running : Executable{file}, file.substr(file.rfind('/') + 1), signals);
    }
    if (failed) {
        throw ProgramError{"cannot run " + file + ": " + strerror(error),
                           error == ENOENT ? kNotFound : kCannotRun};
    }
    return end;
}

std::string signal_name(const ProgramEnd& end) {
    const char* name = sigabbrev_np(WTERMSIG(end.status));
    return name != nullptr ? name : std::to_string(WTERMSIG(end.status));
}

int end_like(const ProgramEnd& end) {
    if (WIFSIGNALED(end.status)) {
        // The program has dumped its core if that was enabled; this process must not dump another one.
        prctl(PR_SET_DUMPABLE, 0);
        signal(WTERMSIG(end.status), SIG_DFL);
        raise(WTERMSIG(end.status));
        constexpr int kShellSignals = 128;  // the signal is blocked: report it as the shell does
        return kShellSignals + WTERMSIG(end.status);
    }
    return WEXITSTATUS(end.status);
}

}  // namespace hotlane::cli
