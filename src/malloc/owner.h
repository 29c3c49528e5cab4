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
    ClassIndex c = kNoClass;  // of a span's objects
};

/// The tier whose memory `p` points into, by its address alone. It does not say whether an object begins there, or
/// whether that is live; only of the fallback it is known that a live block begins at `p`. Takes no lock.
inline Owner owner_of(const void* p);

/// Usable bytes of the object at `p`, whose owner is known. 0 when no live object begins there, as far as that is
/// known without asking the span.
inline size_t usable_size_of(Owner owner, const void* p);

// The span is asked first, and inline: most pointers that reach a slow path belong to one.

Owner owner_outside_spans(const void* p);
size_t usable_size_outside_spans(Tier tier, const void* p);

Owner owner_of(const void* p) {
    if (region_view.contains(p)) {
        const size_t lane = region_view.class_byte(region.page_containing(p).value);
        if (const auto c = static_cast<ClassIndex>(lane / SizeClasses::kLaneWords); c != kNoClass) {
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
