// SPDX-License-Identifier: MIT
//
// Creates the shared file of this process, and publishes the counters in it.
#include "live/publication.h"

#include "base/atomic_access.h"
#include "base/errno_saver.h"
#include "lifecycle/startup.h"
#include "live/answer.h"
#include "live/directory.h"
#include "platform/files/shared_file.h"
#include "platform/os.h"
#include "profiler/sampler.h"
#include "stats/snapshot.h"

#include <cstring>

namespace hotlane::live {

namespace {

/// The file of this process. A forked child inherits it, but must not write to it: it is its parent's.
struct Publication {
    Shared* shared = nullptr;
    int process = 0;          // that created it
    uint64_t file = 0;        // its identity
    uint64_t due_ns = 0;      // when to publish next
    uint64_t look_ns = 0;     // when to look whether the file is still there
    uint64_t sequence = 0;    // as in the file
    bool is_refused = false;  // it could not be created, and will not be tried again
    char name[48] = {};
};
constinit Publication own;
constinit char directory[Config::kPathCapacity];

/// Whether the file with our name is that of another process: one that has the same id in another namespace,
/// such as a container.
bool belongs_to_other_namespace(int at, uint64_t name_space) {
    Identity identity{};
    return read_in(at, own.name, &identity, sizeof identity) && identity.magic == kMagic &&
           identity.name_space != name_space && identity.name_space != 0;
}

void choose_name(uint64_t name_space) {
    constexpr std::string_view kEnd{"\0", 1};  // ends a C string
    Writer name{own.name, sizeof own.name};
    name.signed_number(own.process);
    if (name_space != 0) {
        name.text("-").number(name_space);
    }
    name.text(kEnd);
}

/// Creates the file. What has its name already is from a process that has ended, or from a program that this
/// process executed before, unless it belongs to another namespace. Returns its descriptor, or -1.
int create(int at) {
    const uint64_t name_space = process_namespace();
    choose_name(0);
    int fd = create_in(at, own.name);
    if (fd < 0 && errno == EEXIST) {
        if (belongs_to_other_namespace(at, name_space)) {
            choose_name(name_space);
        }
        remove_in(at, own.name);
        fd = create_in(at, own.name);
    }
    return fd;
}

void introduce(Shared& shared) {
    const ProcessTimes times = process_times(own.process);
    shared.identity = {.magic = 0,
                       .format = kFormat,
                       .bytes = sizeof(Shared),
                       .process = own.process,
                       .name_space = process_namespace(),
                       .started = times.started,
                       .stack = times.stack};
    store_release(shared.identity.magic, kMagic);
}

/// Returns why there is no file, or null.
const char* open_file() {
    own.process = os::process_id();
    const char* problem = nullptr;
    const int at = open_own_directory(directory, problem);
    if (at < 0) {
        return problem;
    }
    const int fd = create(at);
    if (fd >= 0) {
        own.shared = static_cast<Shared*>(map_new_file(fd, sizeof(Shared)));
    }
    if (own.shared == nullptr) {
        problem = os::error_text();
        if (fd >= 0) {
            remove_in(at, own.name);
        }
    } else {
        own.file = os::descriptor_identity(fd);
        introduce(*own.shared);
    }
    if (fd >= 0) {
        os::close_file(fd);
    }
    os::close_file(at);
    return problem;
}

/// The owner of the file may cut it off. Then it gets a new one.
void replace_file() {
    os::unmap(own.shared, sizeof(Shared));
    own.shared = nullptr;
    own.is_refused = open_file() != nullptr;
}

/// Somebody may have removed the file, for example because nothing had opened it for ten days.
void create_again_if_removed() {
    const char* problem = nullptr;
    const int at = open_own_directory(directory, problem);
    if (at < 0) {
        return;
    }
    const bool is_there = is_in(at, own.name, own.file);
    os::close_file(at);
    if (!is_there) {
        replace_file();
    }
}

template <typename T>
bool write_field(T& field, const T& value) {
    static_assert(sizeof(T) % sizeof(uint64_t) == 0);
    return write_shared(&field, &value, sizeof value);
}

/// The odd sequence number is visible before any of the counters is, and the even one after all of them. Signals are
/// blocked meanwhile: a handler that forks and returns would leave a child in the middle of the copy to its parent's
/// file. Returns false if the file was cut off.
bool write_counters(const Counters& counters) {
    const uint64_t signals = os::block_signals();
    Shared& shared = *own.shared;
    const uint64_t odd = own.sequence | 1;
    own.sequence = odd + 1;
    const bool written = write_field(shared.sequence, odd) && write_field(shared.counters, counters) &&
                         write_field(shared.sequence, odd + 1);
    os::restore_signals(signals);
    return written;
}

void publish(uint64_t now_ns) {
    static constinit Counters counters{};  // too large for some stacks
    const SharedSnapshot snapshot(SharedSnapshot::Wait::no);
    if (!snapshot) {
        return;
    }
    counters.time_ns = now_ns;
    counters.profile_period = sampler::running() ? sampler::period() : 0;
    static_assert(sizeof counters.labels == sizeof Config::labels);
    memcpy(counters.labels, config().labels, sizeof counters.labels);
    counters.snapshot = *snapshot;
    counters.snapshot.labels = nullptr;
    if (!write_counters(counters)) {
        replace_file();
    }
}

bool is_ours() { return own.shared != nullptr && own.process == os::process_id(); }

}  // namespace

HOTLANE_IN_EVERY_PROCESS bool wanted() { return config().live[0] != '\0'; }

void start() {
    const char* problem = nullptr;
    own.is_refused = true;
    if (!find_directory(config().live, directory, sizeof directory, problem)) {
        message("HOTLANE_LIVE=", config().live, ": ", problem);
    } else if ((problem = open_file()) != nullptr) {
        message("no live counters in ", directory, ": ", problem);
    } else {
        own.is_refused = false;
    }
}

void publish_if_due(uint64_t now_ns) {
    constexpr uint64_t kAfterForkNs = 100'000'000;
    constexpr uint64_t kLookEveryNs = 2'000'000'000;
    const ErrnoSaver keep;
    if (own.is_refused || now_ns < own.due_ns) {
        return;
    }
    if (own.shared == nullptr) {  // a forked child
        if (own.due_ns == 0) {
            own.due_ns = now_ns + kAfterForkNs;
            return;
        }
        own.is_refused = open_file() != nullptr;
    }
    if (!is_ours()) {  // a child that no fork handler knows of: vfork, or a system call
        return;
    }
    if (now_ns >= own.look_ns) {
        own.look_ns = now_ns + kLookEveryNs;
        create_again_if_removed();
    }
    if (own.shared != nullptr) {
        own.due_ns = now_ns + kPublishEveryNs;
        publish(now_ns);
    }
}

void answer() {
    if (!is_ours()) {
        return;
    }
    Mailbox mailbox;
    if (!read_shared(&own.shared->mailbox, &mailbox, sizeof mailbox)) {
        replace_file();
        return;
    }
    if (mailbox.ticket == mailbox.answered) {
        return;
    }
    const Answered result = answer_request(static_cast<Request>(mailbox.kind), mailbox.argument, directory);
    if (write_field(own.shared->mailbox.answer, static_cast<uint64_t>(result.answer)) &&
        write_field(own.shared->mailbox.value, result.value)) {
        publish(os::monotonic_ns());
    }
    if (own.shared != nullptr && !write_field(own.shared->mailbox.answered, mailbox.ticket)) {
        replace_file();
    }
}

// The mapping stays: a signal handler that forked may return into code that writes it.
void forget_in_child() {
    own.shared = nullptr;
    own.due_ns = 0;
    own.look_ns = 0;
}

void end() {
    const char* problem = nullptr;
    if (!is_ours()) {
        return;
    }
    if (const int at = open_own_directory(directory, problem); at >= 0) {
        if (is_in(at, own.name, own.file)) {
            remove_in(at, own.name);
        }
        os::close_file(at);
    }
}

}  // namespace hotlane::live
