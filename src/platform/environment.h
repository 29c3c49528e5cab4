// SPDX-License-Identifier: MIT
//
// What the process was started with: the environment as a list, for whoever has to see every variable and not
// just ask for one, and the program's name. Knows nothing of options. Apart from os.h, so that tests on a
// fake system still read their own environment. Used by config and os.
#pragma once

namespace hotlane {

/// Every variable, "NAME=value" each, a null last. Null when there is none, or the process is privileged
/// (AT_SECURE).
const char* const* environment_list();

/// How the program was called; "" when that is unknown. The program may overwrite it.
const char* first_argument();

}  // namespace hotlane
