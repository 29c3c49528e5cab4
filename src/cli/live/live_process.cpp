// SPDX-License-Identifier: MIT
//
// Reads what processes publish, and checks it. The files may belong to a user who is not trusted, if root reads
// them: they are read by pread, which a file that shrinks cannot harm, and nothing in them is believed.
#include "cli/live/live_process.h"

#include "live/directory.h"
#include "options/labels.h"
#include "platform/files/shared_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace hotlane::cli {

namespace {

constexpr const char* kOtherRelease = "it runs another release of hotlane; use the command of that release";

std::string error_text() { return strerror(errno); }

/// Returns the process that a file's name begins with, or 0. "12" and "12-4026531836" are such names.
int64_t process_in(std::string_view name) {
    int64_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error != std::errc{} || process <= 0) {
        return 0;
    }
    const bool whole =
        end == name.data() + name.size() ||
        (*end == '-' &&
         name.substr(static_cast<size_t>(end - name.data()) + 1).find_first_not_of("0123456789") ==
             std::string_view::npos);
    return whole ? process : 0;
}

bool read_at(int fd, void* out, size_t bytes, size_t offset) {
    return pread(fd, out, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

bool is_running(const live::Identity& identity) {
    const ProcessTimes times = process_times(static_cast<int>(identity.process));
    return times.started == identity.started && times.started != 0 &&
           (times.stack == 0 || identity.stack == 0 || times.stack == identity.stack);
}

uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

/// Whether the process has ended. Those of other namespaces cannot be looked up; they publish every second.
bool has_ended(const live::Identity& identity, uint64_t published_ns) {
    constexpr uint64_t kLongAgoNs = 60'000'000'000;
    if (identity.name_space == process_namespace()) {
        return !is_running(identity);
    }
    return published_ns + kLongAgoNs < now_ns();
}

/// Repeats until the counters did not change meanwhile. Returns false if a process that was killed left them
/// in the middle of a change.
bool read_counters(int fd, live::Counters& out) {
    constexpr int kMostTries = 200;
    for (int tries = 0; tries < kMostTries; ++tries) {
        uint64_t before = 0;
        uint64_t after = 0;
        if (!read_at(fd, &before, sizeof before, offsetof(live::Shared, sequence))) {
            return false;
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        if (before % 2 == 0 && read_at(fd, &out, sizeof out, offsetof(live::Shared, counters))) {
            std::atomic_thread_fence(std::memory_order_acquire);
            if (read_at(fd, &after, sizeof after, offsetof(live::Shared, sequence)) && before == after) {
                return true;
            }
        }
        usleep(100);
    }
    return false;
}

/// Makes numbers and strings valid that other code relies on.
void make_valid(live::Counters& counters, int64_t process) {
    Snapshot& snapshot = counters.snapshot;
    snapshot.class_count = std::min(snapshot.class_count, kMaxClasses);
    snapshot.pool_count = std::min(snapshot.pool_count, kMaxPoolNames);
    snapshot.arena_count = std::min(snapshot.arena_count, kMaxArenaNames);
    for (ArenaStats& arena : snapshot.arenas) {
        arena.name[sizeof arena.name - 1] = '\0';
    }
    for (PoolStats& pool : snapshot.pools) {
        pool.name[sizeof pool.name - 1] = '\0';
    }
    snapshot.program[sizeof snapshot.program - 1] = '\0';
    snapshot.process_id = static_cast<int>(process);
    counters.labels[sizeof counters.labels - 1] = '\0';
    snapshot.labels = labels_are_valid(counters.labels) ? counters.labels : nullptr;
}

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

LiveDirectory::LiveDirectory(const std::string& value) {
    const char* variable = getenv("HOTLANE_LIVE");
    const std::string wanted = !value.empty()                             ? value
                               : variable != nullptr && *variable != '\0' ? variable
                                                                          : "auto";
    const char* problem = "";
    char path[PATH_MAX];
    if (!live::find_directory(wanted.c_str(), path, sizeof path, problem)) {
        throw LiveError{wanted + ": " + problem};
    }
    path_ = path;
    directory_ = Descriptor{::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    struct stat status {};
    if (directory_.get() < 0 || fstat(directory_.get(), &status) != 0) {
        throw LiveError{"cannot open the directory " + path_ + ": " + error_text()};
    }
    owner_ = status.st_uid;
    if (geteuid() != 0 && owner_ != geteuid()) {
        throw LiveError{"the directory " + path_ + " belongs to another user"};
    }
    if ((status.st_mode & 0022) != 0) {
        throw LiveError{"others may write in the directory " + path_ + "; its mode must be 0700"};
    }
}

Descriptor LiveDirectory::open(const std::string& name, int flags) const {
    Descriptor file{
        openat(directory_.get(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    struct stat status {};
    if (file.get() < 0) {
        throw LiveError{error_text()};
    }
    if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        throw LiveError{"not a regular file"};
    }
    if (status.st_uid != owner_ && status.st_uid != 0) {
        throw LiveError{"the file belongs to another user"};
    }
    return file;
}

/// Returns nothing if the process has ended; its file is removed. Nothing, too, if it has published nothing yet.
std::optional<Published> LiveDirectory::read_file(const std::string& name) const {
    const Descriptor file = open(name, O_RDONLY);
    live::Identity identity{};
    if (!read_at(file.get(), &identity, sizeof identity, 0) || identity.magic != live::kMagic) {
        throw LiveError{"not a file of hotlane, or not a whole one"};
    }
    Published published;
    published.name = name;
    published.process = process_in(name);
    published.in_this_namespace = identity.name_space == process_namespace();
    published.counters = std::make_unique<live::Counters>();
    const bool same_release = identity.format == live::kFormat && identity.bytes == sizeof(live::Shared);
    const bool readable = same_release && read_counters(file.get(), *published.counters);
    const bool is_new = readable && published.counters->time_ns == 0;  // it has just started
    if (is_new && identity.process == published.process &&
        (!published.in_this_namespace || is_running(identity))) {
        return {};
    }
    if (identity.process != published.process ||
        has_ended(identity, same_release ? published.counters->time_ns : now_ns())) {
        unlinkat(directory_.get(), name.c_str(), 0);
        return {};
    }
    if (!readable) {
        throw LiveError{same_release ? "the file is cut off, or its counters stay half written"
                                     : kOtherRelease};
    }
    make_valid(*published.counters, published.process);
    return published;
}

std::vector<Published> LiveDirectory::read_all(std::vector<Unreadable>* unreadable) const {
    std::vector<std::string> names;
    DIR* listing = fdopendir(openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (listing == nullptr) {
        throw LiveError{"cannot list the directory " + path_ + ": " + error_text()};
    }
    while (const dirent* entry = readdir(listing)) {
        if (process_in(entry->d_name) != 0) {
            names.emplace_back(entry->d_name);
        }
    }
    closedir(listing);
    std::vector<Published> all;
    for (const std::string& name : names) {
        try {
            if (std::optional<Published> published = read_file(name)) {
                all.push_back(std::move(*published));
            }
        } catch (const LiveError& error) {
            if (unreadable != nullptr) {
                unreadable->push_back({name, error.what()});
            }
        }
    }
    std::ranges::sort(all, {}, [](const Published& one) { return std::tuple{one.process, one.name}; });
    return all;
}

Published LiveDirectory::read(int64_t process) const {
    const std::string name = std::to_string(process);
    try {
        if (std::optional<Published> published = read_file(name)) {
            return std::move(*published);
        }
    } catch (const LiveError& error) {
        if (faccessat(directory_.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            throw LiveError{"process " + name + ": " + error.what()};
        }
    }
    throw LiveError{"no process " + name + " publishes its counters in " + path_};
}

}  // namespace hotlane::cli
