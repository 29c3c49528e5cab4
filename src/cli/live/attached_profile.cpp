// SPDX-License-Identifier: MIT
//
// Starts and stops the profile of a process that runs already.
#include "cli/live/attached_profile.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

namespace hotlane::cli {

AttachedProfile::AttachedProfile(const LiveDirectory& live, int64_t process, uint64_t sample_bytes)
    : live_{live}, process_{process} {
    if (live.read(process).counters->profile_period == 0) {
        live.ask(process, live::Request::start_profile, sample_bytes);
        started_ = true;
    }
}

AttachedProfile::~AttachedProfile() {
    try {
        if (started_) {
            live_.ask(process_, live::Request::stop_profile);
        }
    } catch (const std::exception&) {  // the process has ended, or somebody else stopped the profile
    }
}

std::string free_dump_name(const Published& process) {
    std::string program = process.snapshot().program;
    for (char& c : program) {
        c = c == '/' ? '_' : c;
    }
    for (int number = 0;; ++number) {
        std::string name =
            program + "." + std::to_string(process.process) + "." + std::to_string(number) + ".heap";
        if (!std::filesystem::exists(std::filesystem::symlink_status(name))) {
            return name;
        }
    }
}

namespace {

volatile sig_atomic_t is_interrupted = 0;

/// SIGINT and SIGTERM end the wait instead of this process, so that the profile is written and stopped.
class Interruption {
  public:
    Interruption() {
        struct sigaction action {};
        action.sa_handler = [](int) { is_interrupted = 1; };
        sigaction(SIGINT, &action, &before_[0]);
        sigaction(SIGTERM, &action, &before_[1]);
    }
    ~Interruption() {
        sigaction(SIGINT, &before_[0], nullptr);
        sigaction(SIGTERM, &before_[1], nullptr);
    }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

  private:
    struct sigaction before_[2]{};
};

}  // namespace

bool wait_beside(const LiveDirectory& live, int64_t process, std::chrono::nanoseconds duration) {
    constexpr std::chrono::milliseconds kLook{100};
    const Interruption interruption;
    const auto end = std::chrono::steady_clock::now() + duration;
    while (is_interrupted == 0 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(
            std::min<std::chrono::nanoseconds>(kLook, end - std::chrono::steady_clock::now()));
        try {
            (void)live.read(process);
        } catch (const LiveError&) {
            return false;
        }
    }
    return true;
}

}  // namespace hotlane::cli
