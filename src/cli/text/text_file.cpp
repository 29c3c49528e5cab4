// SPDX-License-Identifier: MIT
//
// Reads and writes files by descriptor, so that every error has its reason.
#include "cli/text/text_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_{number} {}
    ~Descriptor() {
        if (number_ > STDERR_FILENO) {
            close(number_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

  private:
    int number_;
};

[[noreturn]] void fail(const std::string& file) {
    throw FileError{(file == "-" ? "standard output" : file) + ": " + strerror(errno)};
}

Descriptor open_for(const std::string& file, int flags) {
    constexpr int kMode = 0666;
    const int number = open(file.c_str(), flags | O_CLOEXEC, kMode);
    if (number < 0) {
        fail(file);
    }
    return Descriptor{number};
}

}  // namespace

std::string read_file(const std::string& file, std::string_view magic) {
    const Descriptor descriptor = open_for(file, O_RDONLY);
    std::string text;
    char buffer[64 * 1024];
    ssize_t count = 0;
    while ((count = read(descriptor.number(), buffer, sizeof buffer)) > 0) {
        text.append(buffer, static_cast<size_t>(count));
        if (text.size() >= magic.size() && !text.starts_with(magic)) {
            break;
        }
    }
    if (count < 0) {
        fail(file);
    }
    return text;
}

void write_file(const std::string& file, std::string_view text) {
    const Descriptor descriptor =
        file == "-" ? Descriptor{STDOUT_FILENO} : open_for(file, O_WRONLY | O_CREAT | O_TRUNC);
    while (!text.empty()) {
        const ssize_t count = write(descriptor.number(), text.data(), text.size());
        if (count < 0 && errno != EINTR) {
            fail(file);
        }
        text.remove_prefix(static_cast<size_t>(count < 0 ? 0 : count));
    }
}

}  // namespace hotlane::cli
