// SPDX-License-Identifier: MIT
//
// Leaves requests in the mailbox of a process and waits for the answers.
#include "cli/live/live_process.h"

#include "cli/text/quantity.h"
#include "platform/files/shared_file.h"
#include "text/writer.h"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace hotlane::cli {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLongestWait = std::chrono::seconds{10};
constexpr auto kPause = std::chrono::milliseconds{5};

constexpr size_t kMailbox = offsetof(live::Shared, mailbox);

live::Mailbox read_mailbox(int fd) {
    live::Mailbox mailbox{};
    if (pread(fd, &mailbox, sizeof mailbox, kMailbox) != sizeof mailbox) {
        throw LiveError{"the file was cut off"};
    }
    return mailbox;
}

void write_word(int fd, size_t offset, uint64_t value) {
    if (pwrite(fd, &value, sizeof value, static_cast<off_t>(kMailbox + offset)) != sizeof value) {
        throw LiveError{strerror(errno)};
    }
}

/// Two commands must not use the mailbox at once.
void lock_mailbox(int fd) {
    const auto end = Clock::now() + kLongestWait;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR && errno != EWOULDBLOCK) {
            throw LiveError{strerror(errno)};
        }
        if (Clock::now() > end) {
            throw LiveError{"another command waits for its answer"};
        }
        std::this_thread::sleep_for(kPause);
    }
}

live::Mailbox wait_for_answer(int fd, uint64_t ticket) {
    const auto end = Clock::now() + kLongestWait;
    for (;;) {
        const live::Mailbox mailbox = read_mailbox(fd);
        if (mailbox.answered == ticket) {
            return mailbox;
        }
        if (Clock::now() > end) {
            throw LiveError{"it does not answer (is it stopped, or has it no background thread?)"};
        }
        std::this_thread::sleep_for(kPause);
    }
}

uint64_t value_of(const live::Mailbox& mailbox) {
    switch (static_cast<live::Answer>(mailbox.answer)) {
    case live::Answer::done:
        return mailbox.value;
    case live::Answer::failed:
        throw LiveError{std::string{"it failed: "} + strerror(static_cast<int>(mailbox.value % 4096))};
    case live::Answer::no_profile:
        throw LiveError{"it has no profile; start one first"};
    case live::Answer::already:
        throw LiveError{"a profile is running already, with one sample in " +
                        size_text(static_cast<int64_t>(mailbox.value))};
    default:
        throw LiveError{"it does not know this request"};
    }
}

/// Reads a file to its end, at most `most` bytes.
std::string read_whole(int fd, size_t most) {
    std::string text;
    char part[1 << 16];
    ssize_t count = 0;
    while (text.size() < most && (count = ::read(fd, part, sizeof part)) > 0) {
        text.append(part, static_cast<size_t>(count));
    }
    if (count != 0) {
        throw LiveError{count < 0 ? strerror(errno) : "the dump is larger than 1 GiB"};
    }
    return text;
}

}  // namespace

uint64_t LiveDirectory::ask(int64_t process, live::Request request, uint64_t argument) const {
    const Published published = read(process);  // it runs, and its release is ours
    try {
        const Descriptor file = open(published.name, O_RDWR);
        lock_mailbox(file.get());
        const uint64_t ticket = read_mailbox(file.get()).ticket + 1;
        write_word(file.get(), offsetof(live::Mailbox, kind), static_cast<uint64_t>(request));
        write_word(file.get(), offsetof(live::Mailbox, argument), argument);
        write_word(file.get(), offsetof(live::Mailbox, ticket), ticket);
        return value_of(wait_for_answer(file.get(), ticket));
    } catch (const LiveError& error) {
        throw LiveError{"process " + std::to_string(process) + ": " + error.what()};
    }
}

std::string LiveDirectory::dump(int64_t process) const {
    constexpr size_t kMost = size_t{1} << 30;
    const uint64_t number = ask(process, live::Request::dump);
    const std::string name = std::to_string(process) + "." + hex_text(number) + ".heap";
    try {
        const Descriptor file = open(name, O_RDONLY);
        unlinkat(directory_.get(), name.c_str(), 0);
        return read_whole(file.get(), kMost);
    } catch (const LiveError& error) {
        throw LiveError{"the dump " + path_ + "/" + name + ": " + error.what()};
    }
}

}  // namespace hotlane::cli
