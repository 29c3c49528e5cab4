// SPDX-License-Identifier: MIT
//
// Calls libstdc++'s demangler, and leaves it by a jump when it needs too much memory or time. The jump leaks
// nothing, because the demangler keeps all its data on the stack.
#include "cli/symbols/demangler.h"

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <string_view>
#include <sys/time.h>

// This function is in libsupc++.a. __cxa_demangle in libstdc++.so returns the text only when it is complete.
extern "C" int
__gcclibcxx_demangle_callback(  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)
    const char* mangled, void (*callback)(const char* text, size_t length, void* context), void* context);

namespace hotlane::cli {

namespace {

constexpr size_t kMostText = size_t{64} * 1024;
constexpr suseconds_t kMostTimeUs = 50'000;  // processor time; ordinary names take a thousandth of it
/// After this many names that took too long, no name is demangled any more: the file is probably malicious.
constexpr int kMostFailures = 20;

struct Run {
    sigjmp_buf leave;
    char text[kMostText];
    size_t length = 0;
    int failures = 0;
};
Run run;

void take_text(const char* text, size_t length, void* /*context*/) {
    const size_t room = sizeof run.text - run.length;
    memcpy(run.text + run.length, text, std::min(length, room));
    run.length += std::min(length, room);
    if (length > room) {
        siglongjmp(run.leave, 1);
    }
}

void time_is_up(int /*signal*/) {
    ++run.failures;
    siglongjmp(run.leave, 1);
}

void set_timer(suseconds_t us) {
    const itimerval once{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = us}};
    setitimer(ITIMER_VIRTUAL, &once, nullptr);
}

void catch_timer() {
    struct sigaction action {};
    action.sa_handler = time_is_up;
    action.sa_flags = SA_NODEFER;  // a jump leaves the handler
    sigaction(SIGVTALRM, &action, nullptr);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGVTALRM);
    sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

/// Demangles into `run`. Returns false when the name is not a mangled one, or takes too much.
bool demangle(const char* name) {
    run.length = 0;
    bool good = false;
    // No destructor may be skipped by the jumps.
    if (sigsetjmp(run.leave, 0) == 0) {
        set_timer(kMostTimeUs);
        good = __gcclibcxx_demangle_callback(name, take_text, nullptr) == 0;
        set_timer(0);
        return good;
    }
    set_timer(0);
    return false;
}

}  // namespace

std::string demangled(const char* name) {
    // Types have mangled names, too. Without this check the C function f would become "float".
    const std::string_view text = name;
    if ((!text.starts_with("_Z") && !text.starts_with("_GLOBAL_")) || run.failures >= kMostFailures) {
        return name;
    }
    static const bool caught = (catch_timer(), true);
    return caught && demangle(name) ? std::string{run.text, run.length} : std::string{text};
}

}  // namespace hotlane::cli
