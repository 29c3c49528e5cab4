// SPDX-License-Identifier: MIT
//
// Reads the environment without libc's getenv, and even before libc's constructor has run.
#include "platform/environment.h"

#include "platform/libc/shared_libc.h"
#include "platform/os.h"

#include <cerrno>
#include <sys/auxv.h>
#include <unistd.h>

// The loader stores here where the process found its arguments. Weak, so that this reference alone does not
// require the loader.
extern "C" [[gnu::weak]] void* __libc_stack_end;

namespace hotlane {

namespace {

/// The words on the initial stack: the count of arguments, the arguments, a null, the environment. Needed for
/// requests from .preinit_array, before libc's constructor has set `environ` and the program's name. Null if
/// the place is not known.
const char* const* initial_stack() {
    // In a static program, __libc_stack_end points to another place, and libc sets `environ` before it
    // allocates anything.
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
    if (name == nullptr || *name == '\0') {  // libc's constructor has not run yet
        const char* const* words = initial_stack();
        name = words != nullptr ? words[1] : reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    }
    return name == nullptr ? "" : name;
}

}  // namespace hotlane
