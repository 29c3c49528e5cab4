// SPDX-License-Identifier: MIT
//
// Recognises dumps of the same process by their headers.
#include "cli/profile/last_dumps.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace hotlane::cli {

namespace {

/// The time at which the profile began. It is the same in all dumps of a process, unless the clock was set.
int64_t begin_ns(const ProfileOrigin& origin) { return subtract_clamped(origin.time_ns, origin.duration_ns); }

bool is_later(const ProfileOrigin& a, const ProfileOrigin& b) {
    return std::tie(a.sequence, a.time_ns) > std::tie(b.sequence, b.time_ns);
}

}  // namespace

bool is_same_process(const ProfileOrigin& a, const ProfileOrigin& b) {
    if (a.process == 0 || a.process != b.process || a.program != b.program || a.series != b.series) {
        return false;
    }
    // Old dumps have no series; they are compared by the time at which the profile began.
    constexpr int64_t kSecond = 1'000'000'000;
    const int64_t apart = subtract_clamped(begin_ns(a), begin_ns(b));
    return a.series != 0 || (apart < kSecond && apart > -kSecond);
}

std::vector<size_t> last_of_each_process(const std::vector<const ProfileOrigin*>& origins) {
    std::vector<size_t> last;
    for (size_t i = 0; i < origins.size(); ++i) {
        const auto same = std::find_if(last.begin(), last.end(), [&](size_t other) {
            return is_same_process(*origins[i], *origins[other]);
        });
        if (same == last.end()) {
            last.push_back(i);
        } else if (!is_later(*origins[*same], *origins[i])) {
            *same = i;
        }
    }
    return last;
}

}  // namespace hotlane::cli
