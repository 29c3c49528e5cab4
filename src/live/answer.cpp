// SPDX-License-Identifier: MIT
//
// Answers the requests of the command: dumps, profiles and purges.
#include "live/answer.h"

#include "maintenance/maintenance.h"
#include "platform/files/shared_file.h"
#include "platform/os.h"
#include "profiler/sample_registry.h"
#include "profiler/sampler.h"
#include "profiler/session.h"
#include "text/writer.h"

#include <cerrno>

namespace hotlane::live {

namespace {

Answered failed(int error) { return {Answer::failed, static_cast<uint64_t>(error)}; }

/// The file is only readable by the user, and its number cannot be guessed.
Answered dump(const char* directory) {
    if (!profile::used()) {
        return {Answer::no_profile, 0};
    }
    const char* problem = nullptr;
    errno = 0;
    const int at = open_own_directory(directory, problem);
    if (at < 0) {
        return failed(errno != 0 ? errno : EPERM);
    }
    const uint64_t number = os::random_number();
    char name[48];
    Writer{name, sizeof name}
        .signed_number(os::process_id())
        .text(".")
        .hex(number)
        .text(".heap")
        .text({"\0", 1});
    const int fd = create_in(at, name);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0) {
        const bool written = profiling::dump_to_descriptor(fd);
        error = written ? 0 : errno;
        if (!os::close_file(fd) && error == 0) {
            error = errno;
        }
        if (error != 0) {
            remove_in(at, name);
        }
    }
    os::close_file(at);
    return error == 0 ? Answered{Answer::done, number} : failed(error);
}

Answered start_profile(uint64_t period) {
    if (sampler::running()) {
        return {Answer::already, sampler::period()};
    }
    return profiling::start(period) ? Answered{Answer::done, sampler::period()} : failed(ENOMEM);
}

Answered stop_profile() {
    if (!sampler::running()) {
        return {Answer::no_profile, 0};
    }
    profiling::stop();
    return {Answer::done, 0};
}

}  // namespace

Answered answer_request(Request request, uint64_t argument, const char* directory) {
    switch (request) {
    case Request::dump:
        return dump(directory);
    case Request::start_profile:
        return start_profile(argument);
    case Request::stop_profile:
        return stop_profile();
    case Request::purge:
        return {Answer::done, maintenance::purge_everything()};
    case Request::none:
        break;
    }
    return {Answer::unknown, 0};
}

}  // namespace hotlane::live
