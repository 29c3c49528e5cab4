// SPDX-License-Identifier: MIT
//
// Type-length-value frames over a socket pair. A frame is read into a pooled buffer, which is passed on
// without a copy: the message owns the buffer, and its value is a view of it.
#include "expect.h"
#include "hotlane/hotlane.hpp"

#include <deque>
#include <sys/socket.h>
#include <thread>
#include <vector>

namespace {

struct Header {
    std::uint32_t type;
    std::uint32_t length;
};
constexpr std::size_t kLargestValue = 4096 - sizeof(Header);
constexpr std::uint32_t kMessages = 20'000;
struct Message {  // the header at the front, the value behind it
    hotlane::buffer frame;

    Header& header() { return *reinterpret_cast<Header*>(frame.data()); }
    std::span<std::byte> value() { return frame.span().subspan(sizeof(Header)); }
};

bool read_all(int fd, std::span<std::byte> into) {
    return into.empty() ||
           recv(fd, into.data(), into.size(), MSG_WAITALL) == static_cast<ssize_t>(into.size());
}

/// Returns an empty message at the end of the stream, and if a frame claims to be longer than allowed.
Message receive(int fd, hotlane::buffer_pool& frames) {
    Message message{std::move(*frames.get())};
    if (!read_all(fd, message.frame.span().first(sizeof(Header))) ||
        message.header().length > kLargestValue ||
        !message.frame.resize(sizeof(Header) + message.header().length) || !read_all(fd, message.value())) {
        return {};
    }
    return message;
}

void send_all(int fd) {
    for (std::uint32_t i = 0; i < kMessages; ++i) {
        const Header header{i, i % 512};
        const std::vector<std::byte> value(header.length, std::byte(i & 0xFF));
        EXPECT(send(fd, &header, sizeof header, 0) == sizeof header &&
               send(fd, value.data(), value.size(), 0) >= 0);
    }
    shutdown(fd, SHUT_WR);
}

}  // namespace

int main() {
    int ends[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    std::thread sender(send_all, ends[1]);
    hotlane::buffer_pool frames{4096, 32, hotlane::on_exhausted::fail, {.name = "frames", .touch = true}};
    std::deque<Message> queue;  // for the next stage: at most eight at once
    for (std::uint32_t expected = 0;; ++expected) {
        Message message = receive(ends[0], frames);
        if (!message.frame) {
            break;
        }
        EXPECT(message.header().type == expected && message.value().size() == expected % 512);
        EXPECT(message.value().empty() || message.value().back() == std::byte(expected & 0xFF));
        queue.push_back(std::move(message));
        if (queue.size() > 8) {
            queue.pop_front();
        }
    }
    sender.join();
    queue.clear();
    const auto counted = hotlane::pool_statistics("frames");
    EXPECT(counted.gets == kMessages + 1 && counted.in_use == 0);  // one each, and one at the end of stream
    EXPECT(counted.exhausted == 0 && counted.peak == 9);
}
