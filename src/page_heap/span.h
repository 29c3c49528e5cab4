// SPDX-License-Identifier: MIT
//
// A run of pages cut into objects of one class, with a bitmap of those that are free; and the heap of such
// spans that have free objects, lowest address first. Knows nothing of threads or of where pages come from.
// Called by depot, under the lock of the class.
#pragma once

#include "page_heap/region.h"
#include "page_heap/size_classes.h"

namespace hotlane {

/// What putting an object back can find wrong. The pointer is the program's, so this is its mistake.
enum class PutBackResult : uint8_t { ok, interior_pointer, double_free };

/// Lives beside the region, never in the pages it describes: a write after free cannot reach it.
/// Invariant: free_count == number of bits set in free_bits; objects at index >= fresh_from were never handed
/// out.
class Span {
  public:
    /// Bytes of metadata a page needs, when the spans of the table have at most `most_objects` objects.
    static constexpr size_t metadata_bytes(uint32_t most_objects) {
        return sizeof(Span) + round_up(divide_up(most_objects, 8), 64);
    }

    /// All objects free. `fresh`: the pages are known to read as zero.
    void open(PageIndex first, ClassIndex c, bool fresh);

    /// Takes up to `count` free objects into `out`, lowest address first. Returns how many. `*zeroed` tells
    /// whether out[0] is known to be zero. `base` is the region's. The span is not exhausted.
    uint32_t take(uintptr_t base, void** out, uint32_t count, bool* zeroed);
    /// Puts back as many of `objects`, from the first on, as lie in this span and are right. Returns how
    /// many;
    /// `*result` says what is wrong with the next, ok when it is another span's or there is none.
    uint32_t put_back(uintptr_t base, void* const* objects, uint32_t count, PutBackResult* result);

    /// What put_back() would find wrong with an address of this span.
    PutBackResult judge(uintptr_t base, const void* object) const;

    bool empty() const { return free_count_ == size_classes[class_].object_count; }  // of live objects
    bool exhausted() const { return free_count_ == 0; }
    PageIndex first_page() const { return first_; }
    ClassIndex size_class() const { return class_; }
    uint32_t free_count() const { return free_count_; }

    /// For a page inside a span of several: how many pages back the span begins.
    void set_distance_to_first(uint8_t pages) { distance_ = pages; }
    uint8_t distance_to_first() const { return distance_; }

  private:
    friend class SpanHeap;
    uint64_t* free_bits() { return reinterpret_cast<uint64_t*>(this + 1); }
    const uint64_t* free_bits() const { return reinterpret_cast<const uint64_t*>(this + 1); }

    PageIndex first_;
    uint8_t class_;
    uint8_t distance_;
    uint16_t first_word_;  // no bit is set in free_bits before this word
    uint32_t free_count_;
    uint32_t fresh_from_;
    // Links of the heap: `previous_` is the parent for a first child, else the elder sibling.
    Span* child_;
    Span* next_;
    Span* previous_;
};

static_assert(sizeof(Span) <= 64);

/// Pairing heap by address (Fredman, Sedgewick, Sleator, Tarjan 1986), intrusive. first() and insert() O(1),
/// remove() O(log n) amortised.
class SpanHeap {
  public:
    Span* first() const { return root_; }
    void insert(Span* span);
    void remove(Span* span);

  private:
    static Span* merge(Span* a, Span* b);
    static Span* merge_siblings(Span* first);

    Span* root_ = nullptr;
};

}  // namespace hotlane
