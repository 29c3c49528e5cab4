// SPDX-License-Identifier: MIT
//
// Profiling sessions, started by options, signals and calls; profiles, written on signals, calls, intervals
// and at exit.
#include "profiler/session.h"

#include "base/errno_saver.h"
#include "lifecycle/startup.h"
#include "platform/identity.h"
#include "platform/large_stack.h"
#include "profiler/dump.h"
#include "profiler/history/high_water.h"
#include "profiler/pprof/pprof.h"
#include "profiler/sample_registry.h"
#include "profiler/stack/backtrace.h"
#include "reports/output_file.h"
#include "stats/snapshot.h"
#include "text/writer.h"
#include "thread_cache/thread_cache.h"
#include "thread_cache/thread_registry.h"

#include <atomic>
#include <cerrno>
#include <csignal>

namespace hotlane::profiling {

namespace {

constexpr const char* kDefaultPattern = "hotlane.%p.%n.heap";

constinit int first_process = 0;  // the process that the options are for; its forked children are not it
constinit int this_process = 0;   // as of set_up(), or of the last fork that was noticed
constinit int forked_by = 0;      // the process that forked this one; 0: unknown
constinit std::atomic<bool> dumping{false};
constinit std::atomic<uint64_t> number{0};
constinit std::atomic<uint64_t> next_dump_ns{0};
constinit std::atomic<uint64_t> session_start_ns{0};
constinit std::atomic<uint64_t> begin_ns{0};  // of the first session, since 1970

/// Identifies the dumps of one process, each of which includes what the earlier ones had. Protected by
/// `dumping`.
struct Series {
    int process = 0;
    uint64_t name = 0;  // time of its first dump: process ids are reused, and each container has its own
};
constinit Series series;

const char* pattern() { return config().profile[0] != '\0' ? config().profile : kDefaultPattern; }

/// Whether the process that forked this one has ended, so that this one goes on alone, as a daemon does.
bool is_daemon() {
    const int parent = os::parent_id();
    return forked_by != 0 && this_process == os::process_id() && parent != 0 && parent != forked_by;
}

/// A forked child writes profiles on its own only if its file name differs from its parent's.
bool names_process(std::string_view path) { return path.find("%p") != std::string_view::npos; }

/// A daemon's profile is the one that was wanted. Its process id is added to the name, because there may be several.
bool is_for_daemons(std::string_view path) {
    return !names_process(path) && !path.starts_with("/dev/") && !path.starts_with("/proc/");
}

/// Copies the name for profiles of this process to `out`. Returns false if this process writes none.
bool choose_name(std::string_view path, char* out, size_t capacity) {
    const bool is_ours = os::process_id() == first_process || names_process(path);
    if (!is_ours && !(is_for_daemons(path) && is_daemon())) {
        return false;
    }
    constexpr std::string_view kEnd{"\0", 1};
    return Writer{out, capacity}.text(path).text(is_ours ? "" : ".%p").text(kEnd).ok();
}

/// The present, as a point of the timeline.
timeline::Point point_of_now(uint64_t weighted_live) {
    const thread_registry::Requests requests = thread_registry::count_requests();
    return {.at_ns = profile::elapsed_ns(),
            .live_bytes = weighted_live >> sampler::kWeightShift,
            .resident_bytes = os::resident_bytes(),
            .requests = requests.all,
            .misses = requests.misses};
}

void add_point_if_due() {
    if (const uint64_t begin = profile::elapsed_ns(); timeline::is_due(begin)) {
        const timeline::Point point = point_of_now(high_water::take_recent());
        timeline::add(point, profile::elapsed_ns() - begin);
    }
}

/// Runs inside malloc, on a slow path.
void answer(bool signal);

/// May run inside malloc, because the unwinder is loaded by now.
bool start_sampling(size_t sample_bytes) {
    const uint64_t now = os::monotonic_ns();
    session_start_ns.store(now);
    next_dump_ns.store(now + config().profile_interval_ns);
    uint64_t never = 0;
    begin_ns.compare_exchange_strong(never, os::real_time_ns());
    profile::set_answer(answer);
    const ProfileTags tags = config().profile_tags;
    profile::set_tags(tags == ProfileTags::size || tags == ProfileTags::all,
                      tags == ProfileTags::thread || tags == ProfileTags::all);
    if (!profile::start(sample_bytes != 0 ? sample_bytes : config().sample_interval_bytes)) {
        message("no memory for a profile");
        return false;
    }
    (void)os::resident_bytes();  // opens a file, which a sandbox that the program enters later may forbid
    poll_soon();                 // this thread samples from its next request on
    return true;
}

void load_unwinder() {
    if (!backtrace::load(config().unwinder)) {
        message("libunwind.so.8 cannot be loaded: stacks are taken by frame pointers");
    }
}

/// The series of this process. A forked child starts a new one.
uint64_t series_of(int process) {
    if (series.process != process) {
        series = {.process = process, .name = os::real_time_ns()};
    }
    return series.name;
}

/// `program` is the file of the program, which the header refers to.
ProfileHeader next_header(const char* reason, const char* program, const Snapshot& snapshot) {
    return {.program = program,
            .reason = reason,
            .number = number.fetch_add(1),
            .series = series_of(snapshot.process_id),
            .begin_ns = begin_ns.load(),
            .duration_ns = os::monotonic_ns() - session_start_ns.load(),
            .now = point_of_now(high_water::live()),
            .unwinder = backtrace::unwinder()};
}

bool write_file(const char* wanted, const char* reason, const Snapshot& snapshot) {
    char program[Config::kPathCapacity];
    os::program_path(program, sizeof program);
    const ProfileHeader header = next_header(reason, program, snapshot);
    const NameFields fields{
        .process_id = snapshot.process_id, .program = snapshot.program, .number = header.number};
    char path[Config::kPathCapacity];
    if (!expand_path(wanted, fields, path, sizeof path)) {
        message("the name of the profile is too long: ", wanted);
        return false;
    }
    OutputFile file(path);
    const bool written = file.descriptor() >= 0 && write_profile(file.descriptor(), header, snapshot);
    if (!file.finish(written)) {
        message("cannot write the profile to ", path, ": ", file.problem());
        return false;
    }
    if (config().verbose) {
        message("wrote the profile to ", path);
    }
    return true;
}

/// Acquires the right to write a dump. With Wait::yes it waits up to five seconds for another writer. It does
/// not wait forever, because the writer may be this thread, interrupted by a signal.
bool begin_dump(SharedSnapshot::Wait wait) {
    constexpr uint64_t kPauseNs = 1'000'000;
    for (int tries = wait == SharedSnapshot::Wait::yes ? 5000 : 1; tries > 0; --tries) {
        // Pairs with the store of false by the previous writer.
        if (!dumping.exchange(true)) {
            return true;
        }
        os::sleep_ns(tries > 1 ? kPauseNs : 0);
    }
    return false;
}

bool dump_to(const char* wanted, const char* reason, SharedSnapshot::Wait wait) {
    if (!profile::used() || !begin_dump(wait)) {
        return false;
    }
    const SharedSnapshot snapshot(wait);
    const bool written = snapshot && write_file(wanted, reason, *snapshot);
    dumping.store(false);
    return written;
}

/// The same, to the file that the options name.
bool dump_as_configured(const char* reason, SharedSnapshot::Wait wait) {
    bool written = false;
    // Any thread of the program may come here from a request for memory.
    run_on_large_stack([&written, reason, wait] {
        char name[Config::kPathCapacity];
        written = choose_name(pattern(), name, sizeof name) && dump_to(name, reason, wait);
    });
    return written;
}

void answer(bool signal) {
    const ErrnoSaver keep;
    add_point_if_due();
    if (signal && sampler::running()) {
        dump_as_configured("signal", SharedSnapshot::Wait::no);
    } else if (signal) {
        start_sampling(0);
    }
}

}  // namespace

void set_up() {
    first_process = os::process_id();
    this_process = first_process;
    const int signal = config().profile_signal;
    load_unwinder();
    if (signal != 0) {
        profile::set_answer(answer);
        if (!os::on_signal(signal, [](int) { profile::call(profile::Request::signal); })) {
            message("the signal that starts a profile cannot be caught");
        }
    }
    if (config().profile[0] != '\0') {
        start_sampling(0);
    }
}

bool start(size_t sample_bytes) {
    ensure_started();
    load_unwinder();
    return start_sampling(sample_bytes);
}

void stop() { profile::stop(); }

bool dump(const char* path) {
    return path != nullptr ? dump_to(path, "call", SharedSnapshot::Wait::yes)
                           : dump_as_configured("call", SharedSnapshot::Wait::yes);
}

bool dump_to_descriptor(int fd) {
    const int errno_before = errno;
    if (!profile::used() || !begin_dump(SharedSnapshot::Wait::yes)) {
        errno = profile::used() ? EBUSY : ENODATA;
        return false;
    }
    bool written = false;
    {
        const OwnSnapshot snapshot;  // the reader may be slow
        char program[Config::kPathCapacity];
        os::program_path(program, sizeof program);
        written = write_profile(fd, next_header("call", program, *snapshot), *snapshot);
    }
    dumping.store(false);
    errno = written ? errno_before : errno;
    return written;
}

bool write_pprof(pprof::Sink sink, void* context) {
    if (!profile::used()) {
        errno = ENODATA;
        return false;
    }
    return pprof::write_profile(sink, context, os::monotonic_ns() - session_start_ns.load());
}

bool write_pprof_to_descriptor(int fd) {
    const auto sink = [](void* descriptor, const void* bytes, size_t count) {
        return os::write_all(*static_cast<int*>(descriptor), static_cast<const char*>(bytes), count) ? 0 : -1;
    };
    return write_pprof(sink, &fd);
}

void at_exit() {
    if (config().wants_profile()) {
        dump_as_configured("exit", SharedSnapshot::Wait::yes);
    }
}

HOTLANE_IN_EVERY_PROCESS bool wants_polls() {
    // A forked child may become a daemon.
    return (config().profile_interval_ns != 0 || config().profile_signal != 0) &&
           (os::process_id() == first_process || names_process(pattern()) || is_for_daemons(pattern()));
}

void poll(uint64_t now_ns) {
    profile::answer_if_called();
    if (profile::used()) {
        add_point_if_due();
    }
    uint64_t due = next_dump_ns.load(std::memory_order_relaxed);
    if (config().profile_interval_ns != 0 && sampler::running() && now_ns >= due &&
        next_dump_ns.compare_exchange_strong(due, now_ns + config().profile_interval_ns)) {
        dump_as_configured("interval", SharedSnapshot::Wait::no);
    }
}

void forget_in_child() {
    forked_by = this_process;
    this_process = os::process_id();
    dumping.store(false);
    timeline::forget_threads_in_child();
    number.store(0);
}

}  // namespace hotlane::profiling
