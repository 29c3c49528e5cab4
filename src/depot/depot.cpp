// SPDX-License-Identifier: MIT
//
// Refill and flush from the depot's side.
// Knows nothing of thread caches.
// Called by the slow paths of thread cache, by upkeep and by fork.
#include "depot/depot.h"

#include "classes/policy.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

constinit Region region;
constinit Depot depots[kMaxClasses];
constinit uint64_t tick_ns = 1;

Span* span_containing(const void* p) {
    const PageIndex page = region.page_containing(p);
    auto* span = static_cast<Span*>(region.span_metadata(page));
    if (span->distance_to_first() == 0) {
        return span;
    }
    return static_cast<Span*>(region.span_metadata({page.value - span->distance_to_first()}));
}

bool is_object_start(const void* p, size_t* object_size) {
    const Span* span = span_containing(p);
    const SizeClass& c = size_classes[span->size_class()];
    const size_t offset = address_of(p) - address_of(region.address(span->first_page()));
    *object_size = c.object_size;
    const uint32_t i = c.index_of(offset);
    return size_t{i} * c.object_size == offset && i < c.object_count;
}

namespace {
/// Apart from the depots, so that it is all zero and takes no room in the file; touched as it is used.
constinit void* rings[kMaxClasses][Depot::kRingSlots];
}  // namespace

void Depot::set_up(ClassIndex c) {
    ring_ = rings[c];
    class_ = c;
    capacity_ = policy::depot_capacity(size_classes[c].object_size, kRingSlots);
}

uint32_t Depot::take(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why) {
    LockGuard guard(lock_);
    *zeroed = false;
    const uint32_t taken =
        count_ != 0 ? take_from_ring(out, count) : take_from_spans(out, count, may_grow, zeroed, why);
    outside_ += taken;
    peak_outside_ = std::max(peak_outside_, outside_);
    return taken;
}

uint32_t Depot::take_from_ring(void** out, uint32_t count) {
    count = std::min(count, count_);
    const uint32_t until_wrap = std::min(count, kRingSlots - newest_);
    memcpy(out, ring_ + newest_, until_wrap * sizeof *out);
    memcpy(out + until_wrap, ring_, (count - until_wrap) * sizeof *out);
    newest_ = (newest_ + count) % kRingSlots;
    count_ -= count;
    least_count_ = std::min(least_count_, count_);
    return count;
}

uint32_t Depot::take_from_spans(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why) {
    uint32_t taken = 0;
    while (taken != count) {
        Span* span = partial_.first();
        if (span == nullptr && (span = open_span(may_grow, why)) == nullptr) {
            break;
        }
        bool lowest_is_zero = false;
        const uint32_t more =
            span->take(address_of(region_view.base), out + taken, count - taken, &lowest_is_zero);
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

Span* Depot::open_span(bool may_grow, RegionFailure* why) {
    const SizeClass& c = size_classes[class_];
    PageIndex first{};
    bool fresh = false;
    if (!region.take(c.span_pages, may_grow, &first, &fresh, why)) {
        return nullptr;
    }
    auto* span = static_cast<Span*>(region.span_metadata(first));
    span->open(first, class_, fresh);
    for (uint32_t i = 1; i < c.span_pages; ++i) {
        static_cast<Span*>(region.span_metadata({first.value + i}))
            ->set_distance_to_first(static_cast<uint8_t>(i));
    }
    region.set_class_byte(first, c.span_pages, SizeClasses::lane_of(class_));
    partial_.insert(span);
    ++spans_;
    return span;
}

void Depot::close_span(Span* span) {
    partial_.remove(span);
    const uint32_t pages = size_classes[class_].span_pages;
    region.set_class_byte(span->first_page(), pages, 0);
    region.put_back(span->first_page(), pages, tick_at(os::coarse_ns()));
    --spans_;
}

void Depot::put_back(void* const* objects, uint32_t count) {
    LockGuard guard(lock_);
    make_room(count);
    newest_ = (newest_ - count) % kRingSlots;
    const uint32_t until_wrap = std::min(count, kRingSlots - newest_);
    memcpy(ring_ + newest_, objects, until_wrap * sizeof *objects);
    memcpy(ring_, objects + until_wrap, (count - until_wrap) * sizeof *objects);
    count_ += count;
}

void Depot::put_back_unused(void* const* objects, uint32_t count) {
    LockGuard guard(lock_);
    make_room(count);
    const uint32_t behind_oldest = (newest_ + count_) % kRingSlots;
    const uint32_t until_wrap = std::min(count, kRingSlots - behind_oldest);
    memcpy(ring_ + behind_oldest, objects, until_wrap * sizeof *objects);
    memcpy(ring_, objects + until_wrap, (count - until_wrap) * sizeof *objects);
    count_ += count;
    least_count_ += count;
}

void Depot::make_room(uint32_t count) {
    outside_ -= count;
    if (count_ + count > capacity_) {
        spill(std::min(count_, count_ + count - capacity_));
    }
}

void Depot::spill(uint32_t count) {
    count_ -= count;
    const uint32_t oldest = (newest_ + count_) % kRingSlots;
    const uint32_t until_wrap = std::min(count, kRingSlots - oldest);
    const uint32_t taken = return_to_spans(ring_ + oldest, until_wrap, "free") +
                           return_to_spans(ring_, count - until_wrap, "free");
    outside_ += count - taken;  // freed once too often: taken off then
    least_count_ = std::min(least_count_, count_);
}

bool Depot::put_back_checked(void* object, Operation operation) {
    LockGuard guard(lock_);
    if (return_to_spans(&object, 1, operation) == 0) {
        return false;
    }
    --outside_;
    return true;
}

/// Objects that were freed one after the other often lie in one span: it is looked up once for all of them.
/// Returns how many were right; the others are reported.
uint32_t Depot::return_to_spans(void* const* objects, uint32_t count, Operation operation) {
    uint32_t refused = 0;
    for (uint32_t done = 0; done != count;) {
        // A page that has left the class since the pointer was freed first: freed twice, with time between.
        if (region_view.class_byte(region.page_containing(objects[done]).value) !=
            SizeClasses::lane_of(class_)) [[unlikely]] {
            report_refused(objects[done++], PutBackResult::double_free, operation);
            ++refused;
            continue;
        }
        Span* span = span_containing(objects[done]);
        const bool was_exhausted = span->exhausted();
        PutBackResult result = PutBackResult::ok;
        const uint32_t more =
            span->put_back(address_of(region_view.base), objects + done, count - done, &result);
        done += more;
        if (was_exhausted && more != 0) {
            partial_.insert(span);
        }
        if (result != PutBackResult::ok) [[unlikely]] {
            report_refused(objects[done++], result, operation);
            ++refused;
        }
        if (span->empty()) {
            close_span(span);
        }
    }
    return count - refused;
}

void Depot::report_refused(void* object, PutBackResult why, Operation operation) {
    report_misuse_under_locks(why == PutBackResult::double_free ? Misuse::double_free
                                                                : Misuse::interior_pointer,
                              operation, object, size_classes[class_].object_size);
}

void Depot::reap(bool everything) {
    constexpr uint32_t kAtOnce = 256;  // so that nobody waits long for the lock
    lock_.lock();
    uint32_t left = everything ? count_ : policy::reap_count(least_count_, count_);
    while (left != 0 && count_ != 0) {
        const uint32_t now = std::min({left, kAtOnce, count_});
        spill(now);
        left -= now;
        lock_.unlock();
        lock_.lock();
    }
    least_count_ = count_;
    lock_.unlock();
}

DepotStats Depot::stats() {
    LockGuard guard(lock_);
    return {spans_, count_, static_cast<uint64_t>(peak_outside_)};
}

}  // namespace hotlane
