// SPDX-License-Identifier: MIT
//
// The environment as libc keeps it: readable before any constructor has run, and without its getenv.
// Knows nothing of options.
// Called by read_config.
#include "base/environment.h"

#include "base/os.h"

#include <unistd.h>

// The loader's: where the process found its arguments. Weak, as it need not be linked for this alone.
extern "C" [[gnu::weak]] void* __libc_stack_end;

namespace hotlane {

namespace {

/// The count of arguments, the arguments, a null, the environment. For requests that come before libc's own
/// constructor has set `environ`: from .preinit_array.
const char* const* initial_environment() {
    if (&__libc_stack_end == nullptr || __libc_stack_end == nullptr) {
        return nullptr;
    }
    const auto* words = static_cast<const char* const*>(__libc_stack_end);
    return words + 1 + address_of(words[0]) + 1;
}

}  // namespace

const char* const* environment_list() {
    if (os::is_privileged()) {
        return nullptr;
    }
    return environ != nullptr ? environ : initial_environment();
}

}  // namespace hotlane
