// SPDX-License-Identifier: MIT
//
// The table of size classes in force, how it changes, and compile-time checks of the regular tables.
#include "page_heap/size_classes.h"

#include <algorithm>

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

constexpr SizeClasses kCacheLine = build_size_classes({});

static_assert(fits(kCacheLine));
static_assert(fits(build_size_classes({.choice = ClassChoice::compact})));
static_assert(fits(build_size_classes({.choice = ClassChoice::automatic})));

}  // namespace

constinit SizeClasses size_classes = kCacheLine;

void select_size_classes(const ClassTable& wanted) {
    if (wanted.choice != ClassChoice::cacheline) {  // a write would touch pages for nothing
        size_classes = build_size_classes(wanted);
        HOTLANE_CHECK(fits(size_classes));
    }
}

bool SizeClasses::may_have_served(ClassIndex c, size_t n, size_t alignment) const {
    if (c == class_of_aligned(n, alignment)) {
        return true;
    }
    // Before refine(), or by a thread that had read an entry just before.
    return has_finer && n <= kFinerUpTo && alignment <= this->alignment &&
           c == smallest_class_for(round_up(std::max<size_t>(n, 1), kCoarseStep));
}

void SizeClasses::refine() {
    for (size_t i = 0; i < std::size(finer_index); ++i) {
        store_relaxed(small_index[i], finer_index[i]);
    }
    // Last: the child of a fork in between finds that the change is not done, and does it again.
    store_relaxed(refinable_below, 0);
}

}  // namespace hotlane
