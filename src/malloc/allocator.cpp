// SPDX-License-Identifier: MIT
//
// Decides which tier serves a request, and which tier a freed pointer goes back to.
//
//   allocate_slow: a request that the fast path did not serve
//     1. above 64 KiB                      -> allocate_fallback (reason: large)
//     2. above 1 KiB                       -> pop from the lane of its medium class
//     3. otherwise, or if that pop fails   -> allocate_miss
//   allocate_miss (through allocate_from_class)
//     1. drawn for the guards              -> allocate_guarded
//     2. drawn for the profiler            -> allocate_sampled
//     3. otherwise, or if these fail       -> allocate_from_cache: the thread cache and its refill from the depot
//     4. no pages                          -> allocate_fallback (reason: limit or no_region)
//   release_slow: a free that the fast path did not serve
//     1. null                              -> nothing to do
//     2. in a span                         -> put_back_slow: the thread cache, or the depot
//     3. in a slot of the guards           -> release_guarded
//     4. a sampled object                  -> release_sampled
//     5. a block of the fallback           -> release_fallback
//     6. anything else                     -> report_invalid_pointer
#include "malloc/allocator.h"

#include "base/errno_saver.h"
#include "depot/depot.h"
#include "fallback/fallback.h"
#include "guards/guard.h"
#include "maintenance/background_thread.h"
#include "maintenance/maintenance.h"
#include "malloc/fallback_requests.h"
#include "malloc/finer_classes.h"
#include "malloc/owner.h"
#include "profiler/sample_registry.h"
#include "sync/thread_end.h"
#include "thread_cache/thread_block.h"
#include "thread_cache/thread_counts.h"
#include "thread_cache/thread_registry.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace hotlane {

namespace {

constinit std::atomic<uint64_t> wrong_sized_deletes{0};

/// Allocates for a request that was drawn for the guards or the profiler. Null if they cannot serve it.
void* allocate_drawn(ClassIndex c, size_t n, size_t alignment, Drawn drawn) {
    void* p = drawn.guarded ? allocate_guarded(c, n, alignment, drawn.sampled) : nullptr;
    return p != nullptr || !drawn.sampled ? p : allocate_sampled(c, n);
}

/// Allocates an object of class `c` for `n` bytes, or a block of the fallback. On entry `*zeroed` says
/// whether a fallback allocation shall be zeroed; on return, whether the memory is known to be zero.
void* allocate_from_class(ClassIndex c, size_t n, size_t alignment, bool* zeroed) {
    thread_counts::check_allocation(n);
    background_thread::ensure_running();
    profile::answer_if_called();
    RegionFailure why = RegionFailure::no_region;
    const bool wants_zero = *zeroed;
    if (const Drawn drawn = drawn_for(c); drawn.sampled || drawn.guarded) [[unlikely]] {
        if (void* p = allocate_drawn(c, n, alignment, drawn)) {
            *zeroed = false;
            return p;
        }
    }
    if (void* p = allocate_from_cache(c, zeroed, &why)) {
        return p;
    }
    *zeroed = wants_zero;
    return allocate_fallback(n, alignment, wants_zero,
                             why == RegionFailure::limit ? FallbackReason::limit : FallbackReason::no_region);
}

/// Looks `p` up in its span and reports what is wrong with it. `used` is the class of an object that stays in
/// use, and kNoClass for a free: then the span finds out later whether the object was live.
[[gnu::noinline]] bool examine_object(void* p, Operation operation, ClassIndex used) {
    size_t object_size = 0;
    if (!is_object_start(p, &object_size)) {
        report_misuse(Misuse::interior_pointer, operation, p, object_size);
        return false;
    }
    if (config().check_frees && used != kNoClass && !depots[used].is_live(p)) {
        report_misuse(Misuse::double_free, operation, p, 0);
        return false;
    }
    return true;
}

/// Whether an object may begin at `p`, which points into a span. Only misaligned pointers are examined at
/// once; with HOTLANE_CHECK_FREES, all pointers are. Other mistakes are found when the span gets the object.
[[gnu::always_inline]] inline bool is_plausible_object(void* p, Operation operation,
                                                       ClassIndex used = kNoClass) {
    const bool passes = !config().check_frees && address_of(p) % size_classes.alignment == 0;
    return passes ? true : examine_object(p, operation, used);
}

/// Frees a pointer outside every span: a guarded or sampled object, a block of the fallback, or a mistake.
[[gnu::noinline]] void free_outside_region(Tier tier, void* p, Operation operation) {
    thread_counts::check_free(p);
    if (tier == Tier::guard) {
        release_guarded(p, operation);
    } else if (tier == Tier::sample ? release_sampled(p) : tier == Tier::fallback && release_fallback(p)) {
        maintenance::poll_at_free();
    } else {
        report_invalid_pointer(p, operation);
    }
}

void release_with(void* p, Operation operation) {
    if (p == nullptr) {
        return;
    }
    ErrnoSaver keep;
    if (const Owner owner = owner_of(p); owner.tier != Tier::span) {
        free_outside_region(owner.tier, p, operation);
    } else if (is_plausible_object(p, operation)) {
        put_back_slow(p, owner.c, operation);
    }
}

void count_wrong_size(ClassIndex c, size_t n, size_t alignment) {
    if (!size_classes.may_have_served(c, n, alignment)) {
        wrong_sized_deletes.fetch_add(1, std::memory_order_relaxed);
    }
}

/// Not inlined, so that the hits of its callers need no stack frame.
[[gnu::noinline]] void* allocate_miss(size_t n) {
    ensure_started();
    bool zeroed = false;
    return allocate_from_class(class_after_miss(n), n, size_classes.alignment, &zeroed);
}

/// Fresh pages from the kernel are zero. Only the slow path knows whether an object lies in such a page.
[[gnu::noinline]] void* allocate_zeroed_miss(size_t n) {
    const thread_end::KeyArrayGuard guard(n);
    bool zeroed = true;  // a fallback allocation shall be zeroed
    void* p = allocate_from_class(class_after_miss(n), n, size_classes.alignment, &zeroed);
    if (p != nullptr && !zeroed) {
        memset(p, 0, n);
    }
    return p;
}

/// The `Slow` of a caller that tests for null and has its own slow path.
void* give_up(size_t) { return nullptr; }

/// Whether realloc to `n` bytes leaves an object of class `c` where it is. It does if `n` fits and is more
/// than half of the object, or if `n` belongs to class `c`.
bool stays(ClassIndex c, size_t n) {
    const size_t usable = size_classes[c].object_size;
    return n <= usable && (n > usable / 2 || size_classes.class_of(n) == c);
}

/// realloc by copying. The object at `p` has `usable` bytes.
void* move(void* p, size_t usable, size_t n) {
    void* fresh = allocate(n);
    if (fresh != nullptr) {
        memcpy(fresh, p, std::min(n, usable));
        release(p);
    }
    return fresh;
}

/// realloc of an object in a span.
void* reallocate_small(void* p, ClassIndex c, size_t n) {
    if (!stays(c, n)) {
        return move(p, size_classes[c].object_size, n);
    }
    thread_counts::check_allocation(n);
    thread_counts::count_reallocation();
    return p;
}

/// realloc of a sampled object.
void* reallocate_sampled(void* p, size_t usable, size_t n) {
    if (!stays(size_classes.smallest_class_for(usable), n)) {
        return move(p, usable, n);
    }
    thread_counts::check_allocation(n);
    thread_counts::count_reallocation();
    profile::resize(p, n);
    return p;
}

}  // namespace

void* allocate_slow(size_t n) {
    if (n > kLargestSmall) {
        return allocate_fallback(n, fallback::kMinAlignment, false, FallbackReason::large);
    }
    return n > kSmallLimit ? allocate_medium_fast<allocate_miss>(n) : allocate_miss(n);
}

void release_slow(void* p) noexcept { release_with(p, "free"); }

void release_delete_slow(void* p) noexcept { release_with(p, "operator delete"); }

void release_sized_slow(void* p, size_t excess) noexcept {
    if (const Owner owner = owner_of(p); owner.tier == Tier::span) {
        // If the lane is not set up, `smallest` is 0 and `excess` is the size itself.
        count_wrong_size(owner.c, excess + thread_cache.lanes[owner.c].smallest, 1);
    }
    release_with(p, "operator delete");
}

void release_sized_aligned(void* p, size_t n, size_t alignment) noexcept {
    if (alignment <= size_classes.alignment) {
        return release_sized(p, n);
    }
    if (const Owner owner = owner_of(p); owner.tier == Tier::span) {
        count_wrong_size(owner.c, n, alignment);
    }
    release_delete(p);
}

void* allocate_zeroed(size_t count, size_t size) {
    size_t n = 0;
    if (__builtin_mul_overflow(count, size, &n)) {
        return no_memory();
    }
    if (n > kLargestSmall) {
        return allocate_fallback(n, fallback::kMinAlignment, true, FallbackReason::large);
    }
    ensure_started();
    void* p = allocate_fast<give_up>(n);
    return p != nullptr ? memset(p, 0, n) : allocate_zeroed_miss(n);
}

void* allocate_aligned(size_t alignment, size_t n) {
    if (n <= kLargestSmall) {
        ensure_started();  // chooses the size classes, which are used below
        if (alignment <= size_classes.alignment) {
            return allocate(n);
        }
        if (const ClassIndex c = size_classes.class_of_aligned(n, alignment); c != kNoClass) {
            bool zeroed = false;
            return allocate_from_class(c, n, alignment, &zeroed);
        }
    }
    return allocate_fallback(n, std::max(alignment, fallback::kMinAlignment), false,
                             n > kLargestSmall ? FallbackReason::large : FallbackReason::alignment);
}

void* reallocate(void* p, size_t n) {
    if (p == nullptr) {
        return allocate(n);
    }
    if (n == 0) {
        release(p);
        return nullptr;
    }
    const Owner owner = owner_of(p);
    if (owner.tier == Tier::span) {
        return is_plausible_object(p, "realloc", owner.c) ? reallocate_small(p, owner.c, n) : no_memory();
    }
    const size_t usable = usable_size_of(owner, p);
    if (usable == 0) {
        report_invalid_pointer(p, "realloc");
        return no_memory();
    }
    if (owner.tier == Tier::sample) {
        return reallocate_sampled(p, usable, n);
    }
    // A guarded object always moves, so that an access through an old pointer to it is found.
    return owner.tier == Tier::fallback && n > kLargestSmall ? reallocate_fallback(p, n) : move(p, usable, n);
}

void* reallocate_array(void* p, size_t count, size_t size) {
    size_t n = 0;
    return __builtin_mul_overflow(count, size, &n) ? no_memory() : reallocate(p, n);
}

size_t usable_size(const void* p) {
    if (p == nullptr) {
        return 0;
    }
    const size_t usable = usable_size_of(owner_of(p), p);
    if (usable == 0) {
        report_invalid_pointer(p, "malloc_usable_size");
    }
    return usable;
}

bool owns(const void* p) { return usable_size_of(owner_of(p), p) != 0; }

void report_invalid_pointer(const void* p, Operation operation) {
    ensure_started();  // options decide what follows a mistake, and this may be the first call of the process
    if (guard::contains(p)) {
        guard::report_invalid_pointer(p, operation);
        return;
    }
    if (const size_t object_size = profile::object_around(p); object_size != 0) {
        report_misuse(Misuse::interior_pointer, operation, p, object_size);
        return;
    }
    // A free page of the region belonged to a span before: the object was freed, and later its page.
    const bool was_ours =
        (region_view.contains(p) && !region.holds_block(p)) || profile::contains(p) || fallback::released(p);
    report_misuse(was_ours ? Misuse::double_free : Misuse::foreign_pointer, operation, p, 0);
}

uint64_t count_of_wrong_sized_deletes() { return wrong_sized_deletes.load(std::memory_order_relaxed); }

size_t purge_everything() {
    ensure_started();
    return maintenance::purge_everything();
}

}  // namespace hotlane
