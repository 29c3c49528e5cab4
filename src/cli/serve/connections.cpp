// SPDX-License-Identifier: MIT
//
// Bounds the number of connections and their time.
#include "cli/serve/connections.h"

#include <filesystem>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>

namespace hotlane::cli {

Enqueued BoundedPool::enqueue(std::function<void()> serve) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return connections_ < kMostConnections; });
    ++connections_;
    pool_.enqueue([this, serve = std::move(serve)] {
        serve();
        const std::lock_guard guard{mutex_};
        --connections_;
        changed_.notify_one();
    });
    return static_cast<Enqueued>(true);
}

namespace {

constexpr std::chrono::seconds kForRequest{10};
constexpr std::chrono::seconds kForAnswer{360};

/// Returns the client's port if the descriptor is a connection to our port, or 0.
int client_of(int fd, int port) {
    sockaddr_storage own{};
    sockaddr_storage client{};
    socklen_t own_length = sizeof own;
    socklen_t client_length = sizeof client;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_length) != 0 ||
        getpeername(fd, reinterpret_cast<sockaddr*>(&client), &client_length) != 0) {
        return 0;
    }
    const auto port_of = [](const sockaddr_storage& address) {
        return address.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
                                             : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    };
    return port_of(own) == port ? port_of(client) : 0;
}

}  // namespace

Watchdog::Watchdog(int port) : port_{port} {
    thread_ = std::thread{[this] {
        std::unique_lock lock{mutex_};
        while (!changed_.wait_for(lock, std::chrono::seconds{1}, [this] { return ends_; })) {
            look();
        }
    }};
}

Watchdog::~Watchdog() {
    {
        const std::lock_guard guard{mutex_};
        ends_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Watchdog::is_served(int client_port) {
    const std::lock_guard guard{mutex_};
    served_[client_port] = Clock::now();
}

/// A descriptor whose number is used again has another inode.
void Watchdog::look() {
    const auto now = Clock::now();
    std::map<int, Connection> before;
    before.swap(open_);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd", error}) {
        const int fd = std::atoi(entry.path().filename().c_str());
        struct stat status {};
        const int client = client_of(fd, port_);
        if (client == 0 || fstat(fd, &status) != 0) {
            continue;
        }
        Connection connection{status.st_ino, client, now};
        if (const auto old = before.find(fd); old != before.end() && old->second.inode == status.st_ino) {
            connection.since = old->second.since;
        }
        const auto served = served_.find(client);
        const bool has_request = served != served_.end() && served->second >= connection.since - kForRequest;
        if (now - connection.since > (has_request ? kForAnswer : kForRequest)) {
            ::shutdown(fd, SHUT_RDWR);
        }
        open_.emplace(fd, connection);
    }
    std::erase_if(served_, [now](const auto& one) { return now - one.second > 2 * kForAnswer; });
}

}  // namespace hotlane::cli
