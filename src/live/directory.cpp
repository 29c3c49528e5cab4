// SPDX-License-Identifier: MIT
//
// Finds the directory in which processes publish their counters.
#include "live/directory.h"

#include "platform/files/shared_file.h"
#include "platform/os.h"
#include "text/writer.h"

namespace hotlane::live {

bool find_directory(const char* value, char* out, size_t capacity, const char*& problem) {
    constexpr std::string_view kEnd{"\0", 1};  // ends a C string
    const bool automatic = std::string_view{value} == "auto";
    Writer path{out, capacity};
    if (!automatic) {
        path.text(value);
    } else if (const char* run_time = os::environment("XDG_RUNTIME_DIR");
               run_time != nullptr && *run_time == '/') {
        path.text(run_time).text("/hotlane");
    } else {
        path.text("/tmp/hotlane-").number(effective_user());
    }
    if (!path.text(kEnd).ok()) {
        problem = "the name is too long";
        return false;
    }
    if (*out != '/') {
        problem = "expected an absolute path, or auto";
        return false;
    }
    if (automatic) {
        make_own_directory(out);
    }
    return true;
}

}  // namespace hotlane::live
