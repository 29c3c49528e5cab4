// SPDX-License-Identifier: MIT
//
// Messages over a socket pair, by a contract. `hotlane pools generate` made the pools of this service from
// codec.yaml and codec.toml. The kernel writes each message into a pooled buffer, which is passed on without a
// copy.
#include "codec_pools.hpp"
#include "expect.h"
#include "hotlane/hotlane.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <sys/socket.h>
#include <thread>

namespace {

constexpr std::uint32_t kMessages = 20'000;
constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kLargest = std::max(Trade::max_size, Snapshot::max_size);

/// Trades have one length; snapshots begin with eight bytes and may have any length up to the largest.
bool is_trade(std::uint32_t i) { return i % 4 != 0; }
std::uint32_t length_of(std::uint32_t i) {
    return is_trade(i) ? Trade::max_size : std::max<std::uint32_t>(8, i % Snapshot::max_size);
}

void send_all(int fd) {
    std::array<unsigned char, kHeaderBytes + kLargest> frame{};
    for (std::uint32_t i = 0; i < kMessages; ++i) {
        const std::uint32_t type = is_trade(i) ? Trade::type_id : Snapshot::type_id;
        const std::uint32_t length = length_of(i);
        std::memcpy(frame.data(), &type, sizeof type);
        std::memcpy(frame.data() + 4, &length, sizeof length);
        std::memset(frame.data() + kHeaderBytes, static_cast<int>(i & 0xFFU), length);
        EXPECT(send(fd, frame.data(), kHeaderBytes + length, 0) == ssize_t(kHeaderBytes + length));
    }
    shutdown(fd, SHUT_WR);
}

}  // namespace

int main() {
    int ends[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    std::thread sender(send_all, ends[1]);
    codec_pools pools;
    const hotlane::frame_format format{pools.service().header, pools.messages()};
    hotlane::frame_reader reader{format, pools.set()};
    std::deque<hotlane::frame> queue;  // for the next stage: at most eight at once
    std::uint32_t count = 0;
    for (hotlane::frame message = reader.read(ends[0]); message; message = reader.read(ends[0]), ++count) {
        EXPECT(message.type == (is_trade(count) ? Trade::type_id : Snapshot::type_id));
        EXPECT(message.length == length_of(count) && message.value.size() == message.length);
        EXPECT(std::all_of(message.value.data(), message.value.data() + message.length,
                           [count](std::byte b) { return b == std::byte(count & 0xFFU); }));
        queue.push_back(std::move(message));
        if (queue.size() > 8) {
            queue.pop_front();
        }
    }
    sender.join();
    EXPECT(count == kMessages);
    EXPECT(reader.read(ends[0]).status == hotlane::frame_status::end);
    queue.clear();
    const auto trades = hotlane::pool_statistics(("codec/" + std::to_string(Trade::buffer_class)).c_str());
    const auto snapshots =
        hotlane::pool_statistics(("codec/" + std::to_string(Snapshot::buffer_class)).c_str());
    EXPECT(trades.gets == kMessages / 4 * 3 && snapshots.gets == kMessages / 4);
    EXPECT(trades.in_use == 0 && snapshots.in_use == 0 && trades.peak <= 9);
    EXPECT(trades.exhausted == 0 && snapshots.exhausted == 0);
}
