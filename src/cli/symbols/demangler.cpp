// SPDX-License-Identifier: MIT
//
// libstdc++'s demangler, left by a jump when it has written or worked enough. It keeps all it has on the
// stack, so that nothing is lost by that. Knows nothing of where names come from. Called by symbol_file and
// compile_unit.
#include "cli/symbols/demangler.h"

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <string_view>
#include <sys/time.h>

// Of libsupc++.a. __cxa_demangle, which libstdc++.so has, hands out the text in one piece only.
extern "C" int
__gcclibcxx_demangle_callback(  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)
    const char* mangled, void (*callback)(const char* text, size_t length, void* context), void* context);

namespace hotlane::cli {

namespace {

constexpr size_t kMostText = size_t{64} * 1024;
constexpr suseconds_t kMostTimeUs = 50'000;  // of the processor's; ordinary names take a thousandth
/// After so many names that took too long, none is tried any more: somebody wants it to take long.
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
    action.sa_flags = SA_NODEFER;  // the handler is left by a jump
    sigaction(SIGVTALRM, &action, nullptr);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGVTALRM);
    sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

/// Into `run`; false when it is no mangled name, or too much.
bool demangle(const char* name) {
    run.length = 0;
    bool good = false;
    // Nothing between here and the jumps has a destructor.
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
    // Without this, C's function f would be "float": types have mangled names, too.
    const std::string_view text = name;
    if ((!text.starts_with("_Z") && !text.starts_with("_GLOBAL_")) || run.failures >= kMostFailures) {
        return name;
    }
    static const bool caught = (catch_timer(), true);
    return caught && demangle(name) ? std::string{run.text, run.length} : std::string{text};
}

}  // namespace hotlane::cli
