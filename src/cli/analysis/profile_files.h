// SPDX-License-Identifier: MIT
//
// Loads the files of dumps into one profile with symbols, and shows the progress on a terminal.
#pragma once

#include "cli/profile/profile.h"
#include "cli/symbols/symbol_places.h"

#include <string>
#include <vector>

namespace hotlane::cli {

/// Whether earlier dumps of a single process are kept as moments (Profile::Moment).
enum class Moments { keep, leave_out };

/// Returns the sum of `files`; the sum of `base` is its base, not subtracted yet. Of several dumps of one process only
/// the last counts; a message says so. Throws FileError (text_file.h).
Profile load_profile(const std::vector<std::string>& files, const std::vector<std::string>& base = {},
                     const SymbolPlaces& places = {}, Moments moments = Moments::leave_out);

}  // namespace hotlane::cli
