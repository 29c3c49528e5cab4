// SPDX-License-Identifier: MIT
//
// The table of size classes: which object size serves a request, and how a span of each class is cut. A
// constexpr function builds the table.
#pragma once

#include "base/atomic_access.h"
#include "base/base.h"
#include "options/config.h"

#include <algorithm>
#include <iterator>
#include <type_traits>

namespace hotlane {

/// The fast path serves requests of up to this many bytes and finds their class by one load. The class of
/// larger requests is found out of line.
inline constexpr size_t kSmallLimit = 1024;
inline constexpr size_t kSmallStep = 16;
inline constexpr size_t kMediumStep = 64;

/// One size class. Invariant: object_count * object_size <= span_pages * kRegionPageSize, and what is left over is at
/// most 1/32 of the span, or 1/16 if objects are larger than 2 KiB.
struct SizeClass {
    uint32_t object_size = 0;   // bytes
    uint32_t object_count = 0;  // in a span
    uint32_t span_pages = 0;
    uint32_t shifts = 1;      // how many places the first object of a span can have
    uint64_t reciprocal = 0;  // ceil(2^40 / object_size): index_of() multiplies instead of dividing

    /// The index of the object that the byte at `offset` of a span belongs to. Exact for offsets below 2^24.
    constexpr uint32_t index_of(size_t offset) const {
        return static_cast<uint32_t>((offset * reciprocal) >> 40);
    }
    /// Where the first object lies in a span that begins at page `first_page`.
    constexpr size_t first_object_at(uint32_t first_page) const {
        return shifts == 1 ? 0 : size_t{first_page / span_pages % shifts} * kShift;
    }
    /// Whether all objects lie at multiples of `alignment`, a power of two up to the size of a page.
    constexpr bool are_aligned(size_t alignment) const {
        return object_size % alignment == 0 && (shifts == 1 || alignment <= kShift);
    }
    static constexpr size_t kShift = 64;  // a cache line
};

/// The classes are sorted by size and numbered from 1. Class 0 means "no class".
///
/// Sizes are multiples of kSmallStep up to kSmallLimit and of kMediumStep above, so that a step of the index
/// tables never contains the boundary between two classes.
///
///   cacheline   64 128 192 ... 1024 (steps of 64) | 1280 1536 1792 2048 | four per doubling ... 65536
///   compact     16 32 48 ... 256 (steps of 16)    | 320 384 448 512     | four per doubling ... 65536
///
/// From 4 to 16 KiB, both tables have eight classes per doubling.
///
///   automatic   16 32 48 ... 256 (steps of 16) | 320 384 448 ... 1024 (steps of 64) | as cacheline
///   listed      the sizes of the option; the alignment is 64 if it divides all of them, else 16
///
/// The automatic table has the classes of both others. Until refine() is called, requests of up to kFinerUpTo bytes
/// get only its multiples of kCoarseStep, as with cacheline. refine() rewrites their entries of `small_index` while other
/// threads read them. Every entry is right by itself, before and after, so no reader needs to know how far the change
/// has come. What must not change with it (the class of an object size, or of an aligned request) follows from
/// `finer_index`, which is constant.
///
/// The index tables, like the class entries of pages, hold the offset of the class's 32-byte lane in a thread cache,
/// so that one addition finds the lane.
struct SizeClasses {
    static constexpr uint32_t kLaneBytes = 32;
    static constexpr size_t kCoarseStep = 64;  // a cache line
    static constexpr size_t kFinerUpTo = 256;
    /// A request of at most this many bytes takes a whole cache line before refine() and less after it.
    static constexpr size_t kLargestTiny = kCoarseStep - kSmallStep;

    uint16_t small_index[kSmallLimit / kSmallStep + 1] = {};      // by (n + 15) / 16
    uint16_t medium_index[kLargestSmall / kMediumStep + 1] = {};  // by (n + 63) / 64
    /// For requests that want an alignment of 64 (hotlane_get), by (n + 63) / 64. 0: no class has it.
    uint16_t line_index[kSmallLimit / kCoarseStep + 1] = {};
    uint32_t count = 1;            // classes, class 0 included
    uint32_t alignment = 0;        // of every object, at least
    uint32_t most_objects = 0;     // in a span of any class
    uint32_t refinable_below = 0;  // a request of fewer bytes may call for refine(); 0: none does
    bool has_finer = false;        // an automatic table
    /// What refine() puts into small_index.
    uint16_t finer_index[kFinerUpTo / kSmallStep + 1] = {};
    SizeClass classes[kMaxClasses] = {};

    /// The class that serves `n` bytes now. `n` must be at most kLargestSmall. O(1).
    constexpr ClassIndex class_of(size_t n) const {
        return (n <= kSmallLimit ? entry_of(small_index[(n + kSmallStep - 1) / kSmallStep])
                                 : medium_index[(n + kMediumStep - 1) / kMediumStep]) /
               kLaneBytes;
    }
    /// The smallest class whose objects have at least `n` bytes. It is the same before and after refine().
    constexpr ClassIndex smallest_class_for(size_t n) const {
        return has_finer && n <= kFinerUpTo ? finer_index[(n + kSmallStep - 1) / kSmallStep] / kLaneBytes
                                            : class_of(n);
    }
    static constexpr uint16_t lane_of(ClassIndex c) { return static_cast<uint16_t>(c * kLaneBytes); }
    /// The smallest request that class `c` ever serves.
    constexpr size_t smallest_request(ClassIndex c) const {
        const size_t size = classes[c].object_size;
        if (has_finer && size <= kFinerUpTo && size % kCoarseStep == 0) {
            return size == kCoarseStep ? 0 : size - kCoarseStep + 1;
        }
        return c == 1 ? 0 : classes[c - 1].object_size + 1;
    }
    /// The smallest class for `n` bytes whose objects all lie at multiples of `alignment` (a power of two).
    /// kNoClass if there is none, or if it is so large that the fallback serves the request with less memory.
    /// It is the same before and after refine().
    constexpr ClassIndex class_of_aligned(size_t n, size_t alignment) const {
        if (n > kLargestSmall || alignment > kRegionPageSize) {
            return kNoClass;
        }
        const size_t most = 2 * round_up(std::max<size_t>(n, 1), alignment);
        for (ClassIndex c = smallest_class_for(n); c < count; ++c) {
            if (classes[c].are_aligned(alignment)) {
                return alignment <= this->alignment || classes[c].object_size <= most ? c : kNoClass;
            }
        }
        return kNoClass;
    }
    /// Whether an object of class `c` may have been allocated for `n` bytes at a multiple of `alignment`.
    bool may_have_served(ClassIndex c, size_t n, size_t alignment) const;

    /// Gives requests of up to kFinerUpTo bytes the finer classes. Any thread may call it at any time; several at once
    /// store the same values.
    void refine();

    constexpr const SizeClass& operator[](ClassIndex c) const { return classes[c]; }

  private:
    /// An entry of `small_index`, which refine() may be replacing.
    static constexpr uint16_t entry_of(const uint16_t& entry) {
        return std::is_constant_evaluated() ? entry : load_relaxed(entry);
    }
};

constexpr SizeClasses build_size_classes(const ClassTable& wanted);

/// The table in force: the cache-line classes, unless select_size_classes() has chosen others. It must be
/// called before the first object is allocated.
HOTLANE_HIDDEN extern constinit SizeClasses size_classes;
void select_size_classes(const ClassTable& wanted);

// ---- construction -----------------------------------------------------------------------------------------

namespace detail {

/// The fewest pages for a span that wastes at most a thirty-second of them. For large objects it is a sixteenth: fewer
/// objects in a span are fewer that one live object keeps from the region.
constexpr uint32_t span_pages_for(size_t object_size) {
    const size_t share = object_size > 2 * KiB ? 16 : 32;
    uint32_t pages = 1;
    while (pages * kRegionPageSize % object_size * share > pages * kRegionPageSize) {
        ++pages;
    }
    return pages;
}

constexpr void add_class(SizeClasses& table, size_t object_size) {
    SizeClass& added = table.classes[table.count++];
    added.object_size = static_cast<uint32_t>(object_size);
    added.span_pages = span_pages_for(object_size);
    added.object_count = static_cast<uint32_t>(added.span_pages * kRegionPageSize / object_size);
    added.reciprocal = ((uint64_t{1} << 40) + object_size - 1) / object_size;
    if (added.object_count > table.most_objects) {
        table.most_objects = added.object_count;
    }
}

template <size_t N>
constexpr void fill_index(const SizeClasses& table, uint16_t (&index)[N], size_t step) {
    ClassIndex c = 1;
    for (size_t i = 0; i < N; ++i) {
        while (table.classes[c].object_size < i * step) {
            ++c;
        }
        index[i] = SizeClasses::lane_of(c);
    }
}

}  // namespace detail

namespace detail {

/// Adds classes at equal distances, from the largest one so far up to `until`.
constexpr void add_even_classes(SizeClasses& table, size_t until, size_t step) {
    for (size_t size = table[table.count - 1].object_size + step; size <= until; size += step) {
        add_class(table, size);
    }
}

/// Adds some classes for each doubling of the size, from the largest class so far up to the end.
constexpr void add_growing_classes(SizeClasses& table) {
    for (size_t doubling = table[table.count - 1].object_size; doubling < kLargestSmall; doubling *= 2) {
        const size_t steps = doubling >= 4 * KiB && doubling < 16 * KiB ? 8 : 4;
        for (size_t step = steps + 1; step <= 2 * steps; ++step) {
            add_class(table, doubling * step / steps);
        }
    }
}

constexpr void add_listed_classes(SizeClasses& table, const ClassTable& wanted) {
    for (uint8_t i = 0; i < wanted.count; ++i) {
        add_class(table, wanted.sizes[i]);
        table.alignment = wanted.sizes[i] % 64 == 0 ? table.alignment : 16;
    }
}

/// A cache finds the set of a line by some bits of its address. If all objects began at multiples of 512 or 1024 bytes,
/// their first lines would share few of these sets. So a span of these sizes has an object less, and its objects are
/// shifted by some lines. Larger sizes would need larger spans, to leave no more than a thirty-second unused.
constexpr void shift_objects(SizeClasses& table) {
    for (SizeClass& c : table.classes) {
        if (c.object_size == 512 || c.object_size == 1024) {
            c.span_pages = c.object_size / 512;
            c.object_count = static_cast<uint32_t>(c.span_pages * kRegionPageSize / c.object_size - 1);
            c.shifts = static_cast<uint32_t>(c.object_size / SizeClass::kShift);
        }
    }
}

/// Lets the table begin with the coarse classes. What has just been computed becomes its finer index.
constexpr void begin_coarse(SizeClasses& table) {
    table.has_finer = true;
    table.refinable_below = SizeClasses::kLargestTiny + 1;
    constexpr size_t kRatio = SizeClasses::kCoarseStep / kSmallStep;
    for (size_t i = 0; i < std::size(table.finer_index); ++i) {
        table.finer_index[i] = table.small_index[i];
    }
    for (size_t i = 0; i < std::size(table.finer_index); ++i) {
        table.small_index[i] = table.finer_index[i == 0 ? kRatio : round_up(i, kRatio)];
    }
}

}  // namespace detail

constexpr SizeClasses build_size_classes(const ClassTable& wanted) {
    SizeClasses table;
    const bool is_fine = wanted.choice == ClassChoice::compact || wanted.choice == ClassChoice::automatic;
    table.alignment = is_fine ? 16 : 64;
    if (wanted.choice == ClassChoice::listed) {
        detail::add_listed_classes(table, wanted);
    } else {
        detail::add_even_classes(table, is_fine ? SizeClasses::kFinerUpTo : 1024, table.alignment);
        if (wanted.choice == ClassChoice::automatic) {
            detail::add_even_classes(table, 1024, SizeClasses::kCoarseStep);
        }
        detail::add_growing_classes(table);
        detail::shift_objects(table);
    }
    detail::fill_index(table, table.small_index, kSmallStep);
    detail::fill_index(table, table.medium_index, kMediumStep);
    if (wanted.choice == ClassChoice::automatic) {
        detail::begin_coarse(table);
    }
    for (size_t i = 0; i < std::size(table.line_index); ++i) {
        constexpr size_t kLine = SizeClasses::kCoarseStep;
        table.line_index[i] =
            SizeClasses::lane_of(table.class_of_aligned(std::max<size_t>(i, 1) * kLine, kLine));
    }
    return table;
}

}  // namespace hotlane
