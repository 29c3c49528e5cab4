// SPDX-License-Identifier: MIT
//
// The environment as a list, for whoever has to see every variable and not just ask for one.
// Knows nothing of options. Apart from os.h, so that tests on a fake system still read their own environment.
// Used by config.
#pragma once

namespace hotlane {

/// Every variable, "NAME=value" each, a null last. Null when there is none, or the process is privileged
/// (AT_SECURE).
const char* const* environment_list();

}  // namespace hotlane
