// SPDX-License-Identifier: MIT
//
// The environment as libc keeps it: readable before any constructor has run, and without its getenv.
// Knows nothing of options.
// Called by read_config.
#include "platform/environment.h"

#include "platform/os.h"
#include "platform/shared_libc.h"

#include <cerrno>
#include <sys/auxv.h>
#include <unistd.h>

// The loader's: where the process found its arguments. Weak, as it need not be linked for this alone.
extern "C" [[gnu::weak]] void* __libc_stack_end;

namespace hotlane {

namespace {

/// The count of arguments, the arguments, a null, the environment. For requests that come before libc's own
/// constructor has set `environ` and the program's name: from .preinit_array. Null when it is not known.
const char* const* initial_stack() {
    // Without a loader the word means another place, and libc sets `environ` before anything allocates.
    return !has_shared_libc() || &__libc_stack_end == nullptr
               ? nullptr
               : static_cast<const char* const*>(__libc_stack_end);
}

const char* const* initial_environment() {
    const char* const* words = initial_stack();
    return words == nullptr ? nullptr : words + 1 + address_of(words[0]) + 1;
}

}  // namespace

const char* const* environment_list() {
    if (os::is_privileged()) {
        return nullptr;
    }
    return environ != nullptr ? environ : initial_environment();
}

const char* first_argument() {
    const char* name = program_invocation_name;
    if (name == nullptr || *name == '\0') {  // libc's constructor is still to come
        const char* const* words = initial_stack();
        name = words != nullptr ? words[1] : reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    }
    return name == nullptr ? "" : name;
}

}  // namespace hotlane
