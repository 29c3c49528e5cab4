// SPDX-License-Identifier: MIT
//
// Ends the process after a failed HOTLANE_CHECK(). Allocates nothing and takes no lock.
#include "base/base.h"
#include "platform/os.h"
#include "text/writer.h"

namespace hotlane {

void check_failed(const char* condition, const char* file, int line) {
    char digits[12];
    Writer number(digits, sizeof digits - 1);
    number.number(static_cast<uint64_t>(line)).flush();
    digits[number.bytes_written()] = '\0';
    message(file, ":", digits, ": check failed: ", condition);
    os::abort_process();
}

}  // namespace hotlane
