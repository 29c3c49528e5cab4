// SPDX-License-Identifier: MIT
//
// Keeps a bounded number of dumps.
#include "cli/serve/kept_dumps.h"

#include <algorithm>

namespace hotlane::cli {

void KeptDumps::add(KeptDump dump) {
    const std::lock_guard guard{mutex_};
    bytes_ += dump.text.size();
    dumps_.push_back(std::move(dump));
    while (bytes_ > kMostBytes || dumps_.size() > kMost) {
        bytes_ -= dumps_.front().text.size();
        dumps_.pop_front();
    }
}

std::optional<std::string> KeptDumps::find(int64_t process, int64_t series, int64_t sequence) const {
    const std::lock_guard guard{mutex_};
    const auto found = std::find_if(dumps_.begin(), dumps_.end(), [&](const KeptDump& dump) {
        return dump.process == process && dump.series == series && dump.sequence == sequence;
    });
    return found == dumps_.end() ? std::nullopt : std::optional{found->text};
}

}  // namespace hotlane::cli
