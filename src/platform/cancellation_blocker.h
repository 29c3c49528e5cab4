// SPDX-License-Identifier: MIT
//
// Blocks thread cancellation. Needed around every system call of hotlane that is a cancellation point.
#pragma once

#include "platform/libc/own_functions.h"

#include <pthread.h>

namespace hotlane {

/// While this exists, a pthread_cancel() of the calling thread waits. malloc and free are no cancellation
/// points, so nothing that they call may be one.
class CancellationBlocker {
  public:
    CancellationBlocker() { libc::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~CancellationBlocker() { libc::pthread_setcancelstate(before_, nullptr); }
    CancellationBlocker(const CancellationBlocker&) = delete;
    CancellationBlocker& operator=(const CancellationBlocker&) = delete;

  private:
    int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace hotlane
