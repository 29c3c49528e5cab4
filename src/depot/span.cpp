// SPDX-License-Identifier: MIT
//
// The bitmap of a span, and the heap of spans.
// Knows nothing of threads or of where pages come from.
// Called by depot, under the lock of the class.
#include "depot/span.h"

#include "base/bits.h"

#include <algorithm>

namespace hotlane {

void Span::open(PageIndex first, ClassIndex c, bool fresh) {
    const uint32_t objects = size_classes[c].object_count;
    first_ = first;
    class_ = static_cast<uint8_t>(c);
    distance_ = 0;
    first_word_ = 0;
    free_count_ = objects;
    fresh_from_ = fresh ? 0 : objects;
    child_ = next_ = previous_ = nullptr;
    uint64_t* bits = free_bits();
    std::fill_n(bits, objects / kBitsPerWord, ~uint64_t{0});
    if (objects % kBitsPerWord != 0) {
        bits[objects / kBitsPerWord] = (uint64_t{1} << (objects % kBitsPerWord)) - 1;
    }
}

uint32_t Span::take(uintptr_t base, void** out, uint32_t count, bool* zeroed) {
    HOTLANE_ASSERT(!exhausted());
    const size_t object_size = size_classes[class_].object_size;
    const uintptr_t start = base + size_t{first_.value} * kPageSize;
    count = std::min(count, free_count_);
    free_count_ -= count;
    uint32_t lowest = 0;
    uint32_t highest = 0;
    for (uint32_t taken = 0; taken != count;) {
        uint64_t& word = free_bits()[first_word_];
        if (word == 0) {
            ++first_word_;
            continue;
        }
        highest = first_word_ * kBitsPerWord + static_cast<uint32_t>(std::countr_zero(word));
        lowest = taken == 0 ? highest : lowest;
        word &= word - 1;
        out[taken++] = pointer_to(start + highest * object_size);
    }
    *zeroed = lowest >= fresh_from_;
    fresh_from_ = std::max(fresh_from_, highest + 1);
    return count;
}

PutBackResult Span::put_back(size_t offset_in_span) {
    const SizeClass& c = size_classes[class_];
    const uint32_t i = c.index_of(offset_in_span);
    if (size_t{i} * c.object_size != offset_in_span || i >= c.object_count) {
        return PutBackResult::interior_pointer;
    }
    uint64_t& word = free_bits()[i / kBitsPerWord];
    const uint64_t bit = uint64_t{1} << (i % kBitsPerWord);
    if ((word & bit) != 0) {
        return PutBackResult::double_free;
    }
    word |= bit;
    ++free_count_;
    first_word_ = std::min(first_word_, static_cast<uint16_t>(i / kBitsPerWord));
    return PutBackResult::ok;
}

Span* SpanHeap::merge(Span* a, Span* b) {
    if (a == nullptr || b == nullptr) {
        return a != nullptr ? a : b;
    }
    if (b < a) {
        std::swap(a, b);
    }
    b->previous_ = a;
    b->next_ = a->child_;
    if (b->next_ != nullptr) {
        b->next_->previous_ = b;
    }
    a->child_ = b;
    return a;
}

/// Two passes: neighbours in pairs, then the pairs from the last to the first.
Span* SpanHeap::merge_siblings(Span* first) {
    Span* pairs = nullptr;
    while (first != nullptr) {
        Span* second = first->next_;
        Span* rest = second != nullptr ? second->next_ : nullptr;
        first->next_ = first->previous_ = nullptr;
        if (second != nullptr) {
            second->next_ = second->previous_ = nullptr;
        }
        Span* pair = merge(first, second);
        pair->next_ = pairs;
        pairs = pair;
        first = rest;
    }
    Span* result = nullptr;
    while (pairs != nullptr) {
        Span* pair = pairs;
        pairs = pair->next_;
        pair->next_ = nullptr;
        result = merge(result, pair);
    }
    return result;
}

void SpanHeap::insert(Span* span) {
    span->child_ = span->next_ = span->previous_ = nullptr;
    root_ = merge(root_, span);
}

void SpanHeap::remove(Span* span) {
    Span* children = merge_siblings(span->child_);
    if (span == root_) {
        root_ = children;
        return;
    }
    if (span->previous_->child_ == span) {
        span->previous_->child_ = span->next_;
    } else {
        span->previous_->next_ = span->next_;
    }
    if (span->next_ != nullptr) {
        span->next_->previous_ = span->previous_;
    }
    root_ = merge(root_, children);
}

}  // namespace hotlane
