// SPDX-License-Identifier: MIT
//
// A set of spans of one class: a bit for each page of the region, from which the lowest address comes first.
#pragma once

#include "page_heap/span.h"

namespace hotlane {

/// A span is in the set if the bit of its first page is set. The bits lie beside the region: a cache line for each class
/// and 8 MiB (a leaf), and the lines of all classes of a store side by side, so that a small process touches one page of
/// the kernel. So an operation uses one or two cache lines, however many spans there are. In a region of more than 4 GiB,
/// where a bit stands for several leaves, it may look at these, too.
///
/// Used under the lock of the store. Invariants: a group of leaves has a bit in groups_ if and only if one of its leaves
/// has a bit. No span before the page from_ is in the set.
class SpanSet {
  public:
    /// How many bytes Region::Settings::section_metadata_bytes needs for each store.
    static constexpr size_t kBytesOfStore = size_t{Region::kSectionPages} / 8 * kMaxClasses;

    bool contains_any() const { return spans_ != 0; }
    /// May be called without the lock; the answer may be outdated.
    bool may_contain_any() const { return load_relaxed(spans_) != 0; }
    /// The span with the lowest address. Null if there is none.
    Span* first();
    /// All spans have the same class and the same store.
    void insert(const Span* span);
    void remove(const Span* span);

  private:
    static constexpr uint32_t kPagesOfLeaf = 512;
    static constexpr uint32_t kGroups = 512;

    uint64_t* bits_of(uint32_t leaf) const;
    bool is_empty(uint32_t leaf) const;
    void double_groups();

    uint32_t spans_ = 0;
    uint32_t from_ = 0;
    uint32_t offset_ = 0;       // of the first leaf in the metadata of a section
    uint32_t end_leaf_ = 0;     // no leaf from this one on was ever used
    uint32_t group_shift_ = 0;  // how many leaves a group has, as a power of two: more than one beyond 4 GiB
    uint64_t groups_[kGroups / 64] = {};  // a bit for each group of leaves
};

}  // namespace hotlane
