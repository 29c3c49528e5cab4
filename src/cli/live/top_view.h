// SPDX-License-Identifier: MIT
//
// What `hotlane top` shows, as lines of text. The screen (top_screen.h) draws them.
#pragma once

#include "cli/live/process_table.h"

#include <future>
#include <map>
#include <string>
#include <vector>

namespace hotlane::cli {

/// A process and its state at the look before, from which rates follow.
struct Watched {
    Published now;
    std::unique_ptr<live::Counters> before;  // null: this is the first look

    Rates rates() const { return rates_between(before.get(), *now.counters); }
};

/// All processes of a directory. The busiest comes first.
class Watch {
  public:
    explicit Watch(const LiveDirectory& live) : live_{live} {}
    void look();
    const std::vector<const Watched*>& processes() const { return order_; }
    /// Null if the process has ended.
    const Watched* find(int64_t process) const;

  private:
    const LiveDirectory& live_;
    std::map<std::string, Watched> known_;  // by the name of the file
    std::vector<const Watched*> order_;
};

/// The top sites of a process that is profiled. They are looked up by another thread, because reading symbols
/// may take seconds.
class TopSites {
  public:
    explicit TopSites(const LiveDirectory& live) : live_{live} {}
    /// Requests a new dump if the last is old enough. Returns the newest table, or a line that says why there is
    /// none.
    const std::vector<std::string>& look(int64_t process, size_t width);
    /// Forgets what it found, because another process is shown.
    void forget() { lines_.clear(); }

  private:
    const LiveDirectory& live_;
    std::future<std::vector<std::string>> next_;
    std::chrono::steady_clock::time_point due_;
    std::vector<std::string> lines_;
};

std::vector<std::string> process_lines(const Watched& process, size_t most_classes);

}  // namespace hotlane::cli
