// SPDX-License-Identifier: MIT
//
// A span: a run of pages cut into objects of one class, with a bitmap of the free ones. It is used under the lock of its
// store.
#pragma once

#include "page_heap/region.h"
#include "page_heap/size_classes.h"

#include <algorithm>

namespace hotlane {

/// What can be wrong with an object that is put back. The pointer came from the program, so the mistake is
/// the program's.
enum class PutBackResult : uint8_t { ok, interior_pointer, double_free };

/// The metadata of a span: one cache line, unless there are more than 256 objects. It lies beside the region and never in the pages it describes, so that a write
/// after free cannot reach it. Invariants: free_count is the number of bits set in free_bits; objects at an
/// index >= fresh_from were never handed out.
class alignas(uint64_t) Span {
  public:
    /// Bytes of metadata that a page needs if spans have at most `most_objects` objects.
    static constexpr size_t metadata_bytes(uint32_t most_objects) {
        constexpr size_t kLine = 64;
        return std::max(kLine, sizeof(Span) + round_up(divide_up(most_objects, 8), sizeof(uint64_t)));
    }

    /// Makes the run at `first` a span with all objects free. `fresh`: the pages are known to read as zero.
    /// `store` is the number of the store it belongs to.
    void open(PageIndex first, ClassIndex c, bool fresh, uint8_t store = 0);

    /// Takes up to `count` free objects into `out`, lowest address first. Returns how many. `*zeroed` tells
    /// whether out[0] is known to be zero. `base` is the address of the region. The span must
    /// not be exhausted.
    uint32_t take(uintptr_t base, void** out, uint32_t count, bool* zeroed);
    /// Puts back `objects`, from the first one on, up to one that is wrong or lies in another span. Returns
    /// how many. `*result` says what is wrong with the next one; it is ok if that lies in another span or if
    /// there is none.
    uint32_t put_back(uintptr_t base, void* const* objects, uint32_t count, PutBackResult* result);

    /// The address of the first object. `base` is the address of the region.
    uintptr_t first_object(uintptr_t base) const;
    /// What put_back() would find wrong with `object`, an address in this span.
    PutBackResult judge(uintptr_t base, const void* object) const;

    bool empty() const { return free_count_ == size_classes[class_].object_count; }  // no object is live
    bool exhausted() const { return free_count_ == 0; }
    PageIndex first_page() const { return first_; }
    ClassIndex size_class() const { return class_; }
    uint32_t free_count() const { return free_count_; }
    /// The first object that was never handed out since its memory came from the kernel.
    uint32_t fresh_from() const { return fresh_from_; }
    uint8_t store() const { return store_; }

    /// For a page that is not the first of its span: how many pages before it the span begins.
    void set_distance_to_first(uint8_t pages) { distance_ = pages; }
    uint8_t distance_to_first() const { return distance_; }

  private:
    uint64_t* free_bits() { return reinterpret_cast<uint64_t*>(this + 1); }
    const uint64_t* free_bits() const { return reinterpret_cast<const uint64_t*>(this + 1); }

    PageIndex first_;
    uint8_t class_;
    uint8_t distance_;
    uint16_t first_word_;  // no bit of free_bits is set before this word
    uint16_t free_count_;
    uint16_t fresh_from_;
    uint8_t store_;
};

static_assert(Span::metadata_bytes(256) == 64);

}  // namespace hotlane
