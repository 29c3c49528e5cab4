// SPDX-License-Identifier: MIT
//
// Inserts a profile into the HTML page as JSON that contains no markup.
#include "cli/export/html.h"

#include "cli/export/page_data.h"
#include "cli/export/profile_page.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace hotlane::cli {

std::string render_html(nlohmann::json profile) {
    // Symbol tables may contain any bytes; invalid UTF-8 is replaced.
    const std::string data =
        page_data(std::move(profile)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string page{kPageBeforeProfile};
    page.reserve(page.size() + data.size() + data.size() / 16 + kPageAfterProfile.size());
    for (const char c : data) {
        // In JSON, '<' occurs only inside strings. Escaping it prevents </script> and <!-- in the page.
        if (c == '<') {
            page += "\\u003c";
        } else {
            page += c;
        }
    }
    return page.append(kPageAfterProfile);
}

}  // namespace hotlane::cli
