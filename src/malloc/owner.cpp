// SPDX-License-Identifier: MIT
//
// The order of the questions follows their frequency: most pointers that reach a slow path belong to spans.
#include "malloc/owner.h"

#include "fallback/fallback.h"
#include "guards/guard.h"
#include "page_heap/region.h"
#include "page_heap/size_classes.h"
#include "profiler/sample_registry.h"

namespace hotlane {

namespace {

/// The class of the page `p` lies in; kNoClass when the page is not part of a span.
ClassIndex class_at(const void* p) {
    return region_view.contains(p)
               ? region_view.class_byte(region.page_containing(p).value) / SizeClasses::kLaneWords
               : kNoClass;
}

}  // namespace

Owner owner_of(const void* p) {
    if (const ClassIndex c = class_at(p); c != kNoClass) {
        return {Tier::span, c};
    }
    if (guard::contains(p)) {
        return {Tier::guard};
    }
    if (profile::contains(p)) {
        return {Tier::sample};
    }
    return {fallback::owns(p) ? Tier::fallback : Tier::none};
}

size_t usable_size_of(Owner owner, const void* p) {
    switch (owner.tier) {
    case Tier::span:
        return size_classes[owner.c].object_size;
    case Tier::guard:
        return guard::usable_size(p);
    case Tier::sample:
        return profile::usable_size(p);
    case Tier::fallback:
        return fallback::usable_size(p);
    case Tier::none:
        break;
    }
    return 0;
}

}  // namespace hotlane
