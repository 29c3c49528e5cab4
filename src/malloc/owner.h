// SPDX-License-Identifier: MIT
//
// Tells which tier a pointer belongs to. Free, realloc, malloc_usable_size and the C API all start here.
#pragma once

#include "base/base.h"

namespace hotlane {

enum class Tier : uint8_t { none, span, guard, sample, fallback };

struct Owner {
    Tier tier = Tier::none;
    ClassIndex c = kNoClass;  // of a span's objects
};

/// The tier whose memory `p` points into, by its address alone. It does not say whether an object begins there, or
/// whether that is live; only of the fallback it is known that a live block begins at `p`. Takes no lock.
Owner owner_of(const void* p);

/// Usable bytes of the object at `p`, whose owner is known. 0 when no live object begins there, as far as that is
/// known without asking the span.
size_t usable_size_of(Owner owner, const void* p);

}  // namespace hotlane
