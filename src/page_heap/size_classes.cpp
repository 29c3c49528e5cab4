// SPDX-License-Identifier: MIT
//
// The table of size classes in force, and compile-time checks of both tables.
#include "page_heap/size_classes.h"

namespace hotlane {

namespace {

constexpr bool fits(const SizeClasses& table) {
    for (ClassIndex c = 1; c < table.count; ++c) {
        if (table[c].object_size % table.alignment != 0 || table[c].object_count == 0) {
            return false;
        }
    }
    return table.count <= kMaxClasses && table[table.count - 1].object_size == kLargestSmall;
}

constexpr SizeClasses kCompact = build_size_classes(ClassChoice::compact);

static_assert(fits(build_size_classes(ClassChoice::cacheline)));
static_assert(fits(kCompact));

}  // namespace

constinit SizeClasses size_classes = build_size_classes(ClassChoice::cacheline);

void select_size_classes(ClassChoice choice) {
    if (choice == ClassChoice::compact) {
        size_classes = kCompact;
    }
}

ClassIndex SizeClasses::class_of_aligned(size_t n, size_t alignment) const {
    if (n > kLargestSmall || alignment > kRegionPageSize) {
        return kNoClass;
    }
    for (ClassIndex c = class_of(n); c < count; ++c) {
        if (classes[c].object_size % alignment == 0) {
            return c;
        }
    }
    return kNoClass;
}

}  // namespace hotlane
