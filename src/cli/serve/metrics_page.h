// SPDX-License-Identifier: MIT
//
// The counters of many processes in Prometheus' text format or in OpenMetrics.
#pragma once

#include "cli/live/live_process.h"

#include <string>
#include <vector>

namespace hotlane::cli {

enum class MetricsFormat { prometheus, openmetrics };

/// Writes the page in parts, one family of series after the other, because a thousand processes have some tens of
/// megabytes.
class MetricsPage {
  public:
    MetricsPage(std::vector<Published> processes, MetricsFormat format);

    /// Returns the next part. It is empty at the end.
    std::string next();

    static const char* content_type(MetricsFormat format);

  private:
    void write_heading(std::string& out, std::string_view series, std::string_view help,
                       bool is_counter) const;
    void write_process_info(std::string& out) const;
    bool write_family(std::string& out, size_t row) const;

    std::vector<Published> processes_;
    std::vector<std::string> labels_;  // of each process
    MetricsFormat format_;
    size_t next_ = 0;
};

}  // namespace hotlane::cli
