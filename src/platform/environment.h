// SPDX-License-Identifier: MIT
//
// What the process was started with: the list of all environment variables, and the program's name. It is not
// part of os.h, so that tests on a fake system still read their own environment.
#pragma once

namespace hotlane {

/// All variables as "NAME=value", followed by a null. Returns null if there is no environment, or if the
/// process is privileged (AT_SECURE).
const char* const* environment_list();

/// The program's first argument, the name by which it was started; "" if unknown. The program may overwrite
/// it.
const char* first_argument();

}  // namespace hotlane
