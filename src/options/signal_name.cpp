// SPDX-License-Identifier: MIT
//
// Names of signals. libc keeps some of the real-time signals to itself, so SIGRTMIN is not a constant.
#include "options/signal_name.h"

#include "text/units.h"

#include <csignal>

namespace hotlane {

namespace {

struct NamedSignal {
    std::string_view name;
    int number;
};
constexpr NamedSignal kSignals[] = {{"off", 0},      {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
                                    {"HUP", SIGHUP}, {"PROF", SIGPROF}, {"URG", SIGURG}};

bool is_real_time(int number) { return number >= SIGRTMIN && number <= SIGRTMAX; }

}  // namespace

int parse_signal(std::string_view text) {
    constexpr std::string_view kRealTime = "RTMIN";
    constexpr uint64_t kMost = 64;
    if (text.starts_with("SIG")) {
        text.remove_prefix(3);
    }
    for (const NamedSignal& signal : kSignals) {
        if (text == signal.name) {
            return signal.number;
        }
    }
    uint64_t number = 0;
    int base = 0;
    if (text.starts_with(kRealTime)) {
        text.remove_prefix(kRealTime.size());
        base = SIGRTMIN;
        if (text.empty()) {
            return base;
        }
        if (text.front() != '+') {
            return -1;
        }
        text.remove_prefix(1);
    }
    const bool valid =
        parse_count(text, number) && number <= kMost && is_real_time(base + static_cast<int>(number));
    return valid ? base + static_cast<int>(number) : -1;
}

void write_signal(Writer& out, int number) {
    for (const NamedSignal& signal : kSignals) {
        if (number == signal.number) {
            out.text(signal.name);
            return;
        }
    }
    out.text("RTMIN+").signed_number(number - SIGRTMIN);
}

}  // namespace hotlane
