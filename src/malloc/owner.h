// SPDX-License-Identifier: MIT
//
// Tells which tier a pointer belongs to. Free, realloc, malloc_usable_size and the C API all start here.
#pragma once

#include "page_heap/region.h"
#include "page_heap/size_classes.h"

namespace hotlane {

enum class Tier : uint8_t { none, span, guard, sample, fallback };

struct Owner {
    Tier tier = Tier::none;
    ClassIndex c = kNoClass;  // the class of the span; kNoClass for the other tiers
};

/// Returns the tier whose memory `p` points into, judged by the address alone. Tier::fallback also means that
/// a live block begins at `p`, as exactly as fallback::owns() knows; the other tiers say nothing about that.
/// Takes no lock.
inline Owner owner_of(const void* p);

/// Returns the usable bytes of the object at `p`, whose owner is known, or 0 if no live object begins there.
/// For a pointer into a span it does not consult the span, and returns the object size of the span's class.
inline size_t usable_size_of(Owner owner, const void* p);

// Spans are tested first and inline, because most pointers that reach a slow path belong to one.

Owner owner_outside_spans(const void* p);
size_t usable_size_outside_spans(Tier tier, const void* p);

Owner owner_of(const void* p) {
    if (region_view.contains(p)) {
        const size_t lane = region_view.class_entry(region.page_containing(p).value);
        if (const auto c = static_cast<ClassIndex>(lane / SizeClasses::kLaneBytes); c != kNoClass) {
            return {Tier::span, c};
        }
    }
    return owner_outside_spans(p);
}

size_t usable_size_of(Owner owner, const void* p) {
    return owner.tier == Tier::span ? size_classes[owner.c].object_size
                                    : usable_size_outside_spans(owner.tier, p);
}

}  // namespace hotlane
