// SPDX-License-Identifier: MIT
//
// HOTLANE_SIZE_CLASSES=auto: the moment from which small requests get finer size classes.
#pragma once

#include "page_heap/size_classes.h"

namespace hotlane {

/// Changes to the finer classes if the objects of the first cache-line class hold enough memory.
void refine_classes_if_due();

/// The class for a request of `n` bytes, at most kLargestSmall, that the fast path did not serve. Other tables than
/// the automatic one, and that one after the change, pay for one comparison.
inline ClassIndex class_after_miss(size_t n) {
    if (n < load_relaxed(size_classes.refinable_below)) [[unlikely]] {
        refine_classes_if_due();
    }
    return size_classes.class_of(n);
}

/// The time from the start of the process to the change. 0: there was none.
uint64_t finer_classes_after_ns();

}  // namespace hotlane
