// SPDX-License-Identifier: MIT
//
// Bounds what clients can take from the server: a few threads, a few connections, and not for ever.
#pragma once

#include <chrono>
#include <condition_variable>
#include <httplib.h>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace hotlane::cli {

/// What a queue of the library returns: since version 0.15 whether the task was accepted, before that nothing.
using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

/// Threads that serve connections. While too many connections wait, no further one is accepted.
class BoundedPool : public httplib::TaskQueue {
  public:
    Enqueued enqueue(std::function<void()> serve) override;
    void shutdown() override { pool_.shutdown(); }

  private:
    static constexpr size_t kThreads = 16;
    static constexpr size_t kMostConnections = 64;

    httplib::ThreadPool pool_{kThreads};
    std::mutex mutex_;
    std::condition_variable changed_;
    size_t connections_ = 0;
};

/// Ends connections that have not sent a whole request after some seconds, however slowly they send it, and those
/// that do not take their answer. The library only bounds the time between two bytes.
class Watchdog {
  public:
    explicit Watchdog(int port);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    /// The client with this port has sent its request.
    void is_served(int client_port);

  private:
    using Clock = std::chrono::steady_clock;
    struct Connection {
        uint64_t inode = 0;
        int client_port = 0;
        Clock::time_point since;
    };
    void look();

    const int port_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ends_ = false;
    std::map<int, Connection> open_;  // by descriptor
    std::map<int, Clock::time_point> served_;
    std::thread thread_;
};

}  // namespace hotlane::cli
