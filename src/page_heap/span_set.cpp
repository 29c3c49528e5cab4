// SPDX-License-Identifier: MIT
#include "page_heap/span_set.h"

#include "base/bits.h"
#include "sync/lock_counts.h"

#include <algorithm>

namespace hotlane {

namespace {

constexpr size_t kLeafBytes = 64;

}  // namespace

uint64_t* SpanSet::bits_of(uint32_t leaf) const {
    constexpr uint32_t kLeaves = Region::kSectionPages / kPagesOfLeaf;
    std::byte* const of_section = region.section_metadata(leaf / kLeaves);
    return reinterpret_cast<uint64_t*>(of_section + offset_ + leaf % kLeaves * kMaxClasses * kLeafBytes);
}

bool SpanSet::is_empty(uint32_t leaf) const {
    const uint64_t* const bits = bits_of(leaf);
    lock_counts::note_line(bits);
    return find_bit(bits, 0, kPagesOfLeaf, true) == kPagesOfLeaf;
}

Span* SpanSet::first() {
    if (spans_ == 0) {
        return nullptr;
    }
    uint32_t leaf = from_ / kPagesOfLeaf;
    uint32_t at = from_ % kPagesOfLeaf;
    while (true) {
        const uint64_t* const bits = bits_of(leaf);
        lock_counts::note_line(bits);
        at = find_bit(bits, at, kPagesOfLeaf, true);
        if (at != kPagesOfLeaf) {
            from_ = leaf * kPagesOfLeaf + at;
            return static_cast<Span*>(region.span_metadata({from_}));
        }
        at = 0;
        ++leaf;
        if (!test_bit(groups_, leaf >> group_shift_)) {
            leaf = find_bit(groups_, leaf >> group_shift_, kGroups, true) << group_shift_;
        }
        lock_counts::note_line(groups_ + (leaf >> group_shift_) / kBitsPerWord);
    }
}

void SpanSet::insert(const Span* span) {
    const uint32_t page = span->first_page().value;
    const uint32_t leaf = page / kPagesOfLeaf;
    offset_ = static_cast<uint32_t>(span->store() * kBytesOfStore + span->size_class() * kLeafBytes);
    while (leaf >> group_shift_ >= kGroups) {
        double_groups();
    }
    if (is_empty(leaf)) {
        lock_counts::note_line(groups_ + (leaf >> group_shift_) / kBitsPerWord);
        set_bits(groups_, leaf >> group_shift_, 1, true);
    }
    set_bits(bits_of(leaf), page % kPagesOfLeaf, 1, true);
    from_ = std::min(from_, page);
    end_leaf_ = std::max(end_leaf_, leaf + 1);
    store_relaxed(spans_, spans_ + 1);
}

void SpanSet::remove(const Span* span) {
    const uint32_t page = span->first_page().value;
    const uint32_t leaf = page / kPagesOfLeaf;
    set_bits(bits_of(leaf), page % kPagesOfLeaf, 1, false);
    store_relaxed(spans_, spans_ - 1);
    uint32_t next = leaf >> group_shift_ << group_shift_;
    const uint32_t end = std::min(next + (1U << group_shift_), end_leaf_);
    if (is_empty(leaf)) {
        while (next != end && is_empty(next)) {
            ++next;
        }
        lock_counts::note_line(groups_ + (leaf >> group_shift_) / kBitsPerWord);
        set_bits(groups_, leaf >> group_shift_, 1, next != end);
    }
}

/// The region has outgrown the groups.
void SpanSet::double_groups() {
    for (uint32_t group = 0; group != kGroups; ++group) {
        const bool any =
            group < kGroups / 2 && (test_bit(groups_, 2 * group) || test_bit(groups_, 2 * group + 1));
        set_bits(groups_, group, 1, any);
    }
    ++group_shift_;
}

}  // namespace hotlane
