// SPDX-License-Identifier: MIT
//
// A profile as JSON from standard input, the page of it on standard output.
// Knows nothing of either.
// Called by page_test.py.
#include "cli/export/html.h"

#include <iostream>
#include <nlohmann/json.hpp>

int main() {
    const auto profile = nlohmann::json::parse(std::cin, nullptr, false);
    if (profile.is_discarded()) {
        std::cerr << "render: this is no JSON\n";
        return 1;
    }
    std::cout << hotlane::cli::render_html(profile) << std::flush;
    return std::cout ? 0 : 1;
}
