// SPDX-License-Identifier: MIT
//
// Turns the errors of files into problems.
#include "cli/pools/contract/input_file.h"

#include "cli/text/text_file.h"

namespace hotlane::cli {

std::optional<std::string> read_input(const std::string& file, size_t most, Problems& problems) {
    try {
        return read_file_up_to(file, most);
    } catch (const FileError& error) {
        std::string_view what = error.what();  // "FILE: WHY"
        what.remove_prefix(std::min(what.size(), file.size() + 2));
        problems.add({file}, what);
    }
    return std::nullopt;
}

}  // namespace hotlane::cli
