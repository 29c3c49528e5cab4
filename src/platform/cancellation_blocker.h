// SPDX-License-Identifier: MIT
//
// pthread_cancel(), kept waiting.
// Knows nothing of what is done meanwhile.
// Used around every system call of ours that is a cancellation point.
#pragma once

#include <pthread.h>

namespace hotlane {

/// malloc and free are no cancellation points, so what they call must not be one: for as long as this exists,
/// a pthread_cancel() waits.
class CancellationBlocker {
  public:
    CancellationBlocker() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~CancellationBlocker() { pthread_setcancelstate(before_, nullptr); }
    CancellationBlocker(const CancellationBlocker&) = delete;
    CancellationBlocker& operator=(const CancellationBlocker&) = delete;

  private:
    int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace hotlane
