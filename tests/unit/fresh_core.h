// SPDX-License-Identifier: MIT
//
// Region, depots and class table as they are before the first request, for each test anew. The calling thread
// must not have a thread cache.
#pragma once

#include "depot/depot.h"
#include "page_heap/page_reserve.h"
#include "page_heap/size_classes.h"

#include <new>

namespace hotlane {

inline void fresh_depots(const ClassTable& classes = {}, size_t region_bytes = 4 * GiB,
                         size_t limit_bytes = 0) {
    size_classes = build_size_classes(classes);
    region_view.page_limit = 0;
    tick_ns = 1;
    new (&region) Region;
    new (&page_reserves) PageReserves;
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        new (&depots[c]) Depot(c);
    }
    Depot::set_up_all();
    HOTLANE_CHECK(region.set_up({.largest_bytes = region_bytes,
                                 .limit_bytes = limit_bytes,
                                 .span_metadata_bytes = Span::metadata_bytes(size_classes.most_objects),
                                 .section_metadata_bytes = Depot::section_metadata_bytes()}));
}

}  // namespace hotlane
