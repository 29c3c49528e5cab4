// SPDX-License-Identifier: MIT
//
// The last dumps that pages were made of, in memory. A later page can be compared with one of them, by its number.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace hotlane::cli {

struct KeptDump {
    int64_t process = 0;
    int64_t series = 0;  // tells processes with the same id apart
    int64_t sequence = 0;
    std::string text;
};

class KeptDumps {
  public:
    /// Forgets the oldest dumps when all of them together are too large.
    void add(KeptDump dump);
    std::optional<std::string> find(int64_t process, int64_t series, int64_t sequence) const;

  private:
    static constexpr size_t kMost = 64;
    static constexpr size_t kMostBytes = size_t{32} << 20;

    mutable std::mutex mutex_;
    std::deque<KeptDump> dumps_;  // the newest last
    size_t bytes_ = 0;
};

}  // namespace hotlane::cli
