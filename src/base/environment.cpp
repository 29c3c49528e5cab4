// SPDX-License-Identifier: MIT
//
// The environment as libc keeps it: readable before any constructor has run, and without its getenv.
// Knows nothing of options.
// Called by read_config.
#include "base/environment.h"

#include "base/os.h"

#include <unistd.h>

namespace hotlane {

const char* const* environment_list() { return os::is_privileged() ? nullptr : environ; }

}  // namespace hotlane
