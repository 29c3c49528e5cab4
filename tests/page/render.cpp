// SPDX-License-Identifier: MIT
//
// Reads a profile as JSON from standard input and writes its page to standard output, for page_test.py.
#include "cli/export/html.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

int main() {
    auto profile = nlohmann::json::parse(std::cin, nullptr, false);
    if (profile.is_discarded()) {
        std::cerr << "render: standard input is not JSON\n";
        return 1;
    }
    std::cout << hotlane::cli::render_html(std::move(profile)) << std::flush;
    return std::cout ? 0 : 1;
}
