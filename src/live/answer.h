// SPDX-License-Identifier: MIT
//
// What the command may request of a running process.
#pragma once

#include "live/layout.h"

namespace hotlane::live {

struct Answered {
    Answer answer;
    uint64_t value;  // see Mailbox
};

/// Does what is requested. A dump goes to a new file in `directory`, whose name this process chooses.
Answered answer_request(Request request, uint64_t argument, const char* directory);

}  // namespace hotlane::live
