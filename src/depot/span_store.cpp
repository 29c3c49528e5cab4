// SPDX-License-Identifier: MIT
//
// Objects that come out of spans and go back to them; spans that are opened and closed.
#include "depot/span_store.h"

#include "depot/depot.h"
#include "maintenance/tuning.h"
#include "page_heap/page_reserve.h"
#include "platform/os.h"

#include <algorithm>
#include <span>

namespace hotlane {

Span* span_containing(const void* p) {
    const PageIndex page = region.page_containing(p);
    auto* span = static_cast<Span*>(region.span_metadata(page));
    if (span->distance_to_first() == 0) {
        return span;
    }
    return static_cast<Span*>(region.span_metadata({page.value - span->distance_to_first()}));
}

bool page_has_class(const void* p, ClassIndex c) {
    return region_view.class_entry(region.page_containing(p).value) == SizeClasses::lane_of(c);
}

uint32_t SpanStore::take(void** out, uint32_t count, bool* zeroed) {
    uint32_t taken = 0;
    while (taken != count && partial_.contains_any()) {
        Span* span = partial_.first();
        bool lowest_is_zero = false;
        const uint32_t fresh_from = span->fresh_from();
        const uint32_t more = span->take(region_view.base, out + taken, count - taken, &lowest_is_zero);
        fresh_ += span->fresh_from() - fresh_from;
        if (taken == 0) {
            *zeroed = lowest_is_zero;
        }
        taken += more;
        if (span->exhausted()) {
            partial_.remove(span);
        }
    }
    return taken;
}

bool SpanStore::open(ClassIndex c, uint8_t number, uint32_t objects, bool may_grow, RegionFailure* why) {
    constexpr size_t kAtOnce = 16;
    const SizeClass& size_class = size_classes[c];
    PageRun runs[kAtOnce];
    const std::span wanted(runs, std::min(divide_up(objects, size_class.object_count), kAtOnce));
    const PageUse use = size_class.object_size <= tuning::kLargestInHugePages ? PageUse::small_objects
                                                                              : PageUse::large_objects;
    const uint32_t opened = page_reserves[number].take(size_class.span_pages, use, may_grow, wanted, why);
    std::for_each_n(runs, opened, [&](const PageRun& run) { open_span(c, number, run); });
    return opened != 0;
}

void SpanStore::open_span(ClassIndex c, uint8_t number, const PageRun& run) {
    const uint32_t pages = size_classes[c].span_pages;
    auto* span = static_cast<Span*>(region.span_metadata(run.first));
    span->open(run.first, c, run.fresh, number);
    for (uint32_t i = 1; i < pages; ++i) {
        static_cast<Span*>(region.span_metadata({run.first.value + i}))
            ->set_distance_to_first(static_cast<uint8_t>(i));
    }
    region.set_class_entry(run.first, pages, SizeClasses::lane_of(c));
    partial_.insert(span);
    ++spans_;
}

void SpanStore::close_span(ClassIndex c, Span* span, ClosedSpans& closed) {
    partial_.remove(span);
    region.set_class_entry(span->first_page(), size_classes[c].span_pages, 0);
    closed.first_pages[closed.count++] = span->first_page();
    --spans_;
}

void ClosedSpans::put_back(ClassIndex c, uint32_t domain) {
    if (count != 0) {
        page_reserves[domain].put_back(size_classes[c].span_pages, std::span(first_pages, count),
                                       tick_at(os::coarse_ns()));
        count = 0;
    }
}

/// Objects that were freed one after the other often lie in one span, which is looked up once for all of them.
uint32_t SpanStore::put_back(ClassIndex c, void* const* objects, uint32_t count, Operation operation,
                             ClosedSpans& closed) {
    uint32_t refused = 0;
    for (uint32_t done = 0; done != count;) {
        // If the page has left the class since the first free of the pointer, this is a double free.
        if (!page_has_class(objects[done], c)) [[unlikely]] {
            report_refused(c, objects[done++], PutBackResult::double_free, operation);
            ++refused;
            continue;
        }
        Span* span = span_containing(objects[done]);
        const bool was_exhausted = span->exhausted();
        PutBackResult result = PutBackResult::ok;
        const uint32_t more = span->put_back(region_view.base, objects + done, count - done, &result);
        done += more;
        if (was_exhausted && more != 0) {
            partial_.insert(span);
        }
        if (result != PutBackResult::ok) [[unlikely]] {
            report_refused(c, objects[done++], result, operation);
            ++refused;
        }
        if (span->empty()) {
            close_span(c, span, closed);
        }
    }
    return count - refused;
}

void report_refused(ClassIndex c, void* object, PutBackResult why, Operation operation) {
    report_misuse_under_locks(why == PutBackResult::double_free ? Misuse::double_free
                                                                : Misuse::interior_pointer,
                              operation, object, size_classes[c].object_size);
}

}  // namespace hotlane
