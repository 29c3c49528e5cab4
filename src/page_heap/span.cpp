// SPDX-License-Identifier: MIT
//
// The bitmap of a span.
#include "page_heap/span.h"

#include "base/bits.h"
#include "sync/lock_counts.h"

#include <algorithm>

namespace hotlane {

namespace {

/// What is wrong with freeing the address `offset` bytes behind the first object of a span with these bits. `i` is the
/// index of the object there. Before the first object, `offset` is so large that no index fits it.
PutBackResult judge_place(const SizeClass& c, const uint64_t* free_bits, size_t offset, uint32_t i) {
    if (size_t{i} * c.object_size != offset || i >= c.object_count) [[unlikely]] {
        return PutBackResult::interior_pointer;
    }
    const bool is_free = (free_bits[i / kBitsPerWord] >> (i % kBitsPerWord) & 1) != 0;
    return is_free ? PutBackResult::double_free : PutBackResult::ok;
}

}  // namespace

void Span::open(PageIndex first, ClassIndex c, bool fresh, uint8_t store) {
    lock_counts::note_line(this);
    lock_counts::note_line(free_bits());
    const uint32_t objects = size_classes[c].object_count;
    first_ = first;
    class_ = static_cast<uint8_t>(c);
    distance_ = 0;
    first_word_ = 0;
    HOTLANE_ASSERT(objects <= UINT16_MAX);
    free_count_ = static_cast<uint16_t>(objects);
    fresh_from_ = static_cast<uint16_t>(fresh ? 0 : objects);
    store_ = store;
    uint64_t* bits = free_bits();
    std::fill_n(bits, objects / kBitsPerWord, ~uint64_t{0});
    if (objects % kBitsPerWord != 0) {
        bits[objects / kBitsPerWord] = (uint64_t{1} << (objects % kBitsPerWord)) - 1;
    }
}

uintptr_t Span::first_object(uintptr_t base) const {
    return base + size_t{first_.value} * kRegionPageSize + size_classes[class_].first_object_at(first_.value);
}

uint32_t Span::take(uintptr_t base, void** out, uint32_t count, bool* zeroed) {
    HOTLANE_ASSERT(!exhausted());
    lock_counts::note_line(this);
    lock_counts::note_line(free_bits() + first_word_);
    const SizeClass& c = size_classes[class_];
    const size_t object_size = c.object_size;
    const uintptr_t start = first_object(base);
    count = std::min<uint32_t>(count, free_count_);
    free_count_ -= static_cast<uint16_t>(count);
    uint64_t* const bits = free_bits();
    uint32_t word = first_word_;
    uint64_t left = bits[word];
    for (uint32_t taken = 0; taken != count; ++taken) {
        while (left == 0) {
            bits[word] = 0;
            left = bits[++word];
        }
        const uint32_t i = word * kBitsPerWord + static_cast<uint32_t>(std::countr_zero(left));
        left &= left - 1;
        out[taken] = pointer_to(start + i * object_size);
    }
    bits[word] = left;
    first_word_ = static_cast<uint16_t>(word);
    *zeroed = c.index_of(address_of(out[0]) - start) >= fresh_from_;
    const uint32_t last = c.index_of(address_of(out[count - 1]) - start);
    fresh_from_ = static_cast<uint16_t>(std::max<uint32_t>(fresh_from_, last + 1));
    return count;
}

uint32_t Span::put_back(uintptr_t base, void* const* objects, uint32_t count, PutBackResult* result) {
    lock_counts::note_line(this);
    const SizeClass c = size_classes[class_];
    const uintptr_t start = first_object(base);
    const size_t end = size_t{c.object_count} * c.object_size;
    uint64_t* const bits = free_bits();
    uint32_t lowest_word = first_word_;
    uint32_t done = 0;
    *result = PutBackResult::ok;
    for (; done != count; ++done) {
        const size_t offset = address_of(objects[done]) - start;
        if (offset >= end) {
            const uintptr_t pages = start - c.first_object_at(first_.value);
            const bool is_here = address_of(objects[done]) - pages < c.span_pages * kRegionPageSize;
            *result = is_here ? PutBackResult::interior_pointer : PutBackResult::ok;
            break;
        }
        const uint32_t i = c.index_of(offset);
        *result = judge_place(c, bits, offset, i);
        if (*result != PutBackResult::ok) [[unlikely]] {
            break;
        }
        const uint32_t word = i / kBitsPerWord;
        bits[word] |= uint64_t{1} << (i % kBitsPerWord);
        lowest_word = std::min(lowest_word, word);
    }
    free_count_ += static_cast<uint16_t>(done);
    first_word_ = static_cast<uint16_t>(lowest_word);
    return done;
}

PutBackResult Span::judge(uintptr_t base, const void* object) const {
    const SizeClass& c = size_classes[class_];
    const size_t offset = address_of(object) - first_object(base);
    return judge_place(c, free_bits(), offset, c.index_of(offset));
}

}  // namespace hotlane
