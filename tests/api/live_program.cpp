// SPDX-License-Identifier: MIT
//
// Makes requests until its standard input ends. live_test.py observes it.
#include "hotlane/hotlane.hpp"

#include <chrono>
#include <poll.h>
#include <thread>
#include <unistd.h>

int main() {
    hotlane::buffer_pool frames{4096, 16, hotlane::on_exhausted::fail, {.name = "frames"}};
    const auto held = frames.get();
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (poll(&input, 1, 0) == 0) {
        for (int i = 0; i < 1000; ++i) {
            const hotlane::buffer buffer = hotlane::get(7000);
            const auto frame = frames.get();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}
