// SPDX-License-Identifier: MIT
//
// Reads and writes files by descriptor, so that every error has its reason.
#include "cli/text/text_file.h"

#include "cli/text/quantity.h"

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

/// Appends what one read returns. Returns false at the end.
bool read_more(const Descriptor& descriptor, const std::string& file, std::string& text) {
    char buffer[64 * 1024];
    const ssize_t count = read(descriptor.number(), buffer, sizeof buffer);
    if (count < 0) {
        fail(file);
    }
    text.append(buffer, static_cast<size_t>(count));
    return count > 0;
}

}  // namespace

std::string read_file(const std::string& file, std::string_view magic) {
    const Descriptor descriptor = open_for(file, O_RDONLY);
    std::string text;
    while (read_more(descriptor, file, text)) {
        if (text.size() >= magic.size() && !text.starts_with(magic)) {
            break;
        }
    }
    return text;
}

std::string read_file_up_to(const std::string& file, size_t most) {
    const Descriptor descriptor = open_for(file, O_RDONLY);
    std::string text;
    while (read_more(descriptor, file, text)) {
        if (text.size() > most) {
            throw FileError{file + ": more than " + size_text(static_cast<int64_t>(most))};
        }
    }
    return text;
}

void write_all(int descriptor, std::string_view text, const std::string& file) {
    while (!text.empty()) {
        const ssize_t count = write(descriptor, text.data(), text.size());
        if (count < 0 && errno != EINTR) {
            fail(file);
        }
        text.remove_prefix(static_cast<size_t>(count < 0 ? 0 : count));
    }
}

void write_file(const std::string& file, std::string_view text) {
    const Descriptor descriptor =
        file == "-" ? Descriptor{STDOUT_FILENO} : open_for(file, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(descriptor.number(), text, file);
}

}  // namespace hotlane::cli
