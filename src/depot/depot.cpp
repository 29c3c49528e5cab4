// SPDX-License-Identifier: MIT
//
// Refill and flush on the depot's side, and the return of objects to their spans.
#include "depot/depot.h"

#include "depot/held_back.h"
#include "maintenance/tuning.h"
#include "platform/os.h"

#include <algorithm>
#include <atomic>
#include <iterator>

namespace hotlane {

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

/// The slots of the rings of all classes. They are mapped when the first object comes back, so that they do
/// not count as data of the process before they are needed.
constinit std::atomic<void**> ring_slots{nullptr};
constinit uint32_t slots_needed = 0;

/// Returns the slots, which it maps on first use. Null if the system has no memory for them.
void** slots_of_rings() {
    // Pairs with the exchange below, made by another class's put_back().
    void** slots = ring_slots.load(std::memory_order_acquire);
    if (slots == nullptr) {
        const size_t bytes = round_up(slots_needed * sizeof(void*), os::page_size());
        auto** fresh = static_cast<void**>(os::map(bytes));
        if (fresh == nullptr || ring_slots.compare_exchange_strong(slots, fresh, std::memory_order_acq_rel)) {
            return fresh;
        }
        os::unmap(fresh, bytes);  // another class was first
    }
    return slots;
}

/// Not members of the depots, because few processes touch them.
constinit HeldBack held_back[kMaxClasses];
constinit std::atomic<bool> holds_back{false};  // while false, the memory of held_back was never touched

void* hold_back(ClassIndex c, void* object) {
    if (!holds_back.load(std::memory_order_relaxed)) {
        holds_back.store(true, std::memory_order_relaxed);
    }
    return held_back[c].add(object);
}

}  // namespace

void Depot::set_up_all() {
    ring_slots.store(nullptr, std::memory_order_relaxed);
    slots_needed = 0;
    if (holds_back) {
        std::fill(std::begin(held_back), std::end(held_back), HeldBack{});
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].set_up(c);
    }
}

void Depot::set_up(ClassIndex c) {
    class_ = c;
    capacity_ = tuning::ring_capacity(size_classes[c].object_size);
    first_slot_ = slots_needed;
    slots_needed += kMostRings * tuning::ring_slots(capacity_);
}

/// Whether the rings have slots. Sets the rings up on first use.
bool Depot::has_slots() {
    if (!rings_[0].is_set_up()) [[unlikely]] {
        void** slots = slots_of_rings();
        if (slots == nullptr) {
            return false;
        }
        const uint32_t count = tuning::ring_slots(capacity_);
        slots += first_slot_;
        for (Ring& ring : rings_) {
            ring.set_up(slots, count);
            slots += count;
        }
    }
    return true;
}

Ring& Depot::ring_of_processor() { return rings_[os::processor() % kMostRings]; }

/// Prefers the processor's own ring, and otherwise finds one that is not empty: objects that another
/// processor freed must come from that processor's caches, but they are at least in a cache. Null if all
/// rings are empty.
Ring* Depot::ring_to_take_from() {
    Ring& own = ring_of_processor();
    if (own.count() != 0) {
        return &own;
    }
    Ring* const other =
        std::find_if(rings_, rings_ + kMostRings, [](const Ring& ring) { return ring.count() != 0; });
    return other != rings_ + kMostRings ? other : nullptr;
}

uint32_t Depot::refill(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why) {
    LockGuard guard(lock_);
    *zeroed = false;
    Ring* ring = ring_to_take_from();
    const uint32_t taken =
        ring != nullptr ? ring->take(out, count) : take_from_spans(out, count, may_grow, zeroed, why);
    outside_ += taken;
    peak_outside_ = std::max(peak_outside_, outside_);
    return taken;
}

uint32_t Depot::take_from_spans(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why) {
    uint32_t taken = 0;
    while (taken != count) {
        if (partial_.first() == nullptr && !open_spans(count - taken, may_grow, why)) {
            break;
        }
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

/// Opens the spans that hold `objects` more objects, several under one lock of the region. Returns false if there are
/// no pages for any.
bool Depot::open_spans(uint32_t objects, bool may_grow, RegionFailure* why) {
    constexpr size_t kAtOnce = 16;
    const SizeClass& c = size_classes[class_];
    PageRun runs[kAtOnce];
    const std::span wanted(runs, std::min(divide_up(objects, c.object_count), kAtOnce));
    const PageUse use =
        c.object_size <= tuning::kLargestInHugePages ? PageUse::small_objects : PageUse::large_objects;
    const uint32_t opened = region.take(c.span_pages, use, may_grow, wanted, why);
    std::for_each_n(runs, opened, [this](const PageRun& run) { open_span(run); });
    return opened != 0;
}

void Depot::open_span(const PageRun& run) {
    const uint32_t pages = size_classes[class_].span_pages;
    auto* span = static_cast<Span*>(region.span_metadata(run.first));
    span->open(run.first, class_, run.fresh);
    for (uint32_t i = 1; i < pages; ++i) {
        static_cast<Span*>(region.span_metadata({run.first.value + i}))
            ->set_distance_to_first(static_cast<uint8_t>(i));
    }
    region.set_class_entry(run.first, pages, SizeClasses::lane_of(class_));
    partial_.insert(span);
    ++spans_;
}

void Depot::close_span(Span* span) {
    partial_.remove(span);
    const uint32_t pages = size_classes[class_].span_pages;
    region.set_class_entry(span->first_page(), pages, 0);
    region.put_back(span->first_page(), pages, tick_at(os::coarse_ns()));
    --spans_;
}

void Depot::put_back(void* const* objects, uint32_t count) {
    LockGuard guard(lock_);
    put_in_ring(objects, count);
}

void Depot::put_in_ring(void* const* objects, uint32_t count) {
    if (!has_slots()) [[unlikely]] {
        return put_back_to_spans(objects, count);
    }
    Ring& ring = ring_of_processor();
    make_room(ring, count);
    ring.put(objects, count);
    region.note_surplus();
}

void Depot::put_back_unused(void* const* objects, uint32_t count) {
    LockGuard guard(lock_);
    if (!has_slots()) [[unlikely]] {
        return put_back_to_spans(objects, count);
    }
    Ring& ring = ring_of_processor();
    make_room(ring, count);
    ring.put_behind(objects, count);
    region.note_surplus();
}

void Depot::put_back_to_spans(void* const* objects, uint32_t count) {
    outside_ -= return_to_spans(objects, count, "free");
    region.note_surplus();
}

void Depot::make_room(Ring& ring, uint32_t count) {
    outside_ -= count;
    if (ring.count() + count > capacity_) {
        spill(ring, std::min(ring.count(), ring.count() + count - capacity_));
    }
}

void Depot::spill(Ring& ring, uint32_t count) {
    while (count != 0) {
        const Ring::Stretch oldest = ring.drop_oldest(count);
        count -= oldest.count;
        const uint32_t taken = return_to_spans(oldest.objects, oldest.count, "free");
        outside_ += oldest.count - taken;  // double frees were subtracted when they came
    }
}

void Depot::put_back_late(void* object) {
    LockGuard guard(lock_);
    --outside_;
    region.note_surplus();
    if (void* oldest = hold_back(class_, object)) {
        ++outside_;
        put_in_ring(&oldest, 1);
    }
}

bool Depot::put_back_checked(void* object, Operation operation) {
    LockGuard guard(lock_);
    if (const PutBackResult result = judge(object); result != PutBackResult::ok) {
        report_refused(object, result, operation);
        return false;
    }
    --outside_;
    region.note_surplus();
    if (void* oldest = hold_back(class_, object)) {
        return_to_spans(&oldest, 1, operation);
    }
    return true;
}

uint32_t Depot::undo_newest_frees() {
    if (!holds_back) {
        return 0;
    }
    LockGuard guard(lock_);
    uint32_t count = 0;
    held_back[class_].take_others([&count](void*) { ++count; });
    outside_ += count;
    return count;
}

bool Depot::is_live(const void* object) {
    LockGuard guard(lock_);
    return judge(object) == PutBackResult::ok;
}

/// If the page has left the class since the first free of the pointer, this is a double free, too.
PutBackResult Depot::judge(const void* object) const {
    const bool has_left =
        region_view.class_entry(region.page_containing(object).value) != SizeClasses::lane_of(class_);
    return has_left || held_back[class_].holds(object)
               ? PutBackResult::double_free
               : span_containing(object)->judge(region_view.base, object);
}

/// Objects that were freed one after the other often lie in one span, which is looked up once for all of
/// them. Returns how many objects were returned; the others are reported.
uint32_t Depot::return_to_spans(void* const* objects, uint32_t count, Operation operation) {
    uint32_t refused = 0;
    for (uint32_t done = 0; done != count;) {
        // If the page has left the class since the first free of the pointer, this is a double free.
        if (region_view.class_entry(region.page_containing(objects[done]).value) !=
            SizeClasses::lane_of(class_)) [[unlikely]] {
            report_refused(objects[done++], PutBackResult::double_free, operation);
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
    constexpr uint32_t kAtOnce = 256;  // limits how long others wait for the lock
    if (everything && holds_back) {
        LockGuard guard(lock_);
        held_back[class_].take_all(
            [this](void* object) { outside_ += 1 - return_to_spans(&object, 1, "free"); });
    }
    for (Ring& ring : rings_) {
        lock_.lock();
        uint32_t left = everything ? ring.count() : tuning::reap_count(ring.least_count(), ring.count());
        while (left != 0 && ring.count() != 0) {
            const uint32_t now = std::min({left, kAtOnce, ring.count()});
            spill(ring, now);
            left -= now;
            lock_.unlock();
            lock_.lock();
        }
        ring.forget_least();
        lock_.unlock();
    }
}

DepotStats Depot::stats() {
    LockGuard guard(lock_);
    uint64_t objects = 0;
    for (const Ring& ring : rings_) {
        objects += ring.count();
    }
    // A double free may make the number negative for a while.
    const auto outside = static_cast<uint64_t>(std::max<int64_t>(outside_, 0));
    return {spans_, objects, outside, static_cast<uint64_t>(peak_outside_), fresh_};
}

}  // namespace hotlane
