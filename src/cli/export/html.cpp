// SPDX-License-Identifier: MIT
//
// Puts a profile into the page: as JSON in which nothing can be taken for markup.
// Knows nothing of the profile's fields.
// Called by report.
#include "cli/export/html.h"

#include "cli/export/profile_page.h"

#include <nlohmann/json.hpp>

namespace hotlane::cli {

std::string render_html(const nlohmann::json& profile) {
    // Names come from symbol tables, which may hold any bytes.
    const std::string data = profile.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string page{kPageBeforeProfile};
    page.reserve(page.size() + data.size() + data.size() / 16 + kPageAfterProfile.size());
    for (const char c : data) {
        // Inside of strings only, there is no other place for it in JSON: neither </script> nor <!-- can come
        // out.
        if (c == '<') {
            page += "\\u003c";
        } else {
            page += c;
        }
    }
    return page.append(kPageAfterProfile);
}

}  // namespace hotlane::cli
