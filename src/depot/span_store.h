// SPDX-License-Identifier: MIT
//
// The spans of one size class that the threads on a few neighbouring processors opened.
#pragma once

#include "depot/magazine.h"
#include "diagnostics/misuse.h"
#include "page_heap/region.h"
#include "page_heap/size_classes.h"
#include "page_heap/span_set.h"
#include "sync/lock.h"

namespace hotlane {

/// The first pages of spans that one visit closed. Their pages go back when the store is unlocked.
struct ClosedSpans {
    static constexpr uint32_t kMost = Magazine::kSlots;
    PageIndex first_pages[kMost];
    uint32_t count = 0;

    /// Puts the pages of the closed spans of class `c` into the reserve of a domain.
    void put_back(ClassIndex c, uint32_t domain);
};

/// All members but has_partial() are used under the lock.
class alignas(64) SpanStore {
  public:
    Lock lock{LockRank::spans};

    /// Whether a span with free objects exists. May be called without the lock; the answer may be outdated then.
    bool has_partial() const { return partial_.may_contain_any(); }

    /// Takes up to `count` objects out of partial spans, lowest address first. Returns how many. Sets
    /// `*zeroed` if it takes any: whether out[0] is known to read as zero.
    uint32_t take(void** out, uint32_t count, bool* zeroed);
    /// Opens the spans that hold `objects` more objects, several under one lock of the region. They get `number`, that
    /// of this store. Returns false if there are no pages for any, and sets `*why`.
    bool open(ClassIndex c, uint8_t number, uint32_t objects, bool may_grow, RegionFailure* why);
    /// Puts back objects of this store's spans. Returns how many; the others are reported. The spans that became empty
    /// are closed, and `closed` receives their pages, which are the caller's then.
    uint32_t put_back(ClassIndex c, void* const* objects, uint32_t count, Operation operation,
                      ClosedSpans& closed);

    uint64_t spans() const { return spans_; }
    uint64_t fresh() const { return fresh_; }

  private:
    void open_span(ClassIndex c, uint8_t number, const PageRun& run);
    void close_span(ClassIndex c, Span* span, ClosedSpans& closed);

    uint64_t spans_ = 0;
    uint64_t fresh_ = 0;  // objects taken out of spans whose memory is known to be unused until then
    SpanSet partial_;     // for the first GiB it lies in the cache line of the lock
};

static_assert(sizeof(SpanStore) == 128);

/// The span that an address of the region lies in. Undefined if its page is in no span.
Span* span_containing(const void* p);
/// Whether the address lies in a page of the class. An object that was freed twice may lie in a page that has left
/// its class since.
bool page_has_class(const void* p, ClassIndex c);

void report_refused(ClassIndex c, void* object, PutBackResult why, Operation operation);

}  // namespace hotlane
