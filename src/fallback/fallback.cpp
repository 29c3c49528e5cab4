// SPDX-License-Identifier: MIT
//
// The fallback tier: the private jemalloc, the block map that records its blocks, and hotlane's own purge
// timer. This is the only file that calls jemalloc.
#include "fallback/fallback.h"

#include "base/errno_saver.h"
#include "fallback/block_map.h"
#include "fallback/extent_hooks.h"
#include "fallback/first_blocks.h"
#include "fallback/jemalloc_stubs.h"
#include "fallback/purge_policy.h"
#include "page_heap/region.h"
#include "platform/large_stack.h"
#include "platform/os.h"

#include <atomic>
#include <cerrno>
#include <cstring>

// jemalloc's functions, renamed by scripts/private_jemalloc or built with these names by scripts/jemalloc_from_source.
extern "C" {
void* private_jemalloc_mallocx(size_t bytes, int flags);
size_t private_jemalloc_xallocx(void* p, size_t bytes, size_t extra, int flags);
void private_jemalloc_dallocx(void* p, int flags);
size_t private_jemalloc_sallocx(const void* p, int flags);
size_t private_jemalloc_nallocx(size_t bytes, int flags);
int private_jemalloc_mallctl(const char* name, void* old, size_t* old_bytes, void* fresh, size_t fresh_bytes);
void private_jemalloc_prefork();
void private_jemalloc_postfork_parent();
void private_jemalloc_postfork_child();
// jemalloc's option cache_oblivious, which 5.3.0 does not accept among the others. A jemalloc that was built from source
// was configured without it.
[[gnu::weak]] extern bool private_jemalloc_opt_cache_oblivious;
// The numbers of the words in jemalloc's tables that hold the distance to their target instead of its address
// (scripts/private_jemalloc). A jemalloc that was built from source has none.
[[gnu::weak]] extern uintptr_t private_jemalloc_tables[];
[[gnu::weak]] extern const uint16_t private_jemalloc_relative_words[];
[[gnu::weak]] extern const uint16_t private_jemalloc_relative_words_end[];

// jemalloc reads this once, when it starts. It reads the user's MALLOC_CONF later, so the user wins.
//   narenas:1          with more arenas, the last thread that leaves an arena purges all of it
//   dirty_decay_ms, muzzy_decay_ms, retain
//                      free memory goes back to the extent hooks at once, and so to the region, which keeps it for
//                      the next block or span and purges it by its own clock and budget
//   oversize_threshold jemalloc's own limit for that is not needed
//   tcache_max         blocks of up to 256 KiB pass through a thread's cache; with larger blocks, the caches
//                      cost more page faults and cache misses than the saved lock is worth
//   tcache_gc_incr_bytes, tcache_nslots_large
//                      a cache keeps at most 8 blocks of a size instead of 20, so it need not be looked through
//                      for unused blocks every 64 KiB: that would be at every request
extern const char* const private_jemalloc_malloc_conf;
const char* const private_jemalloc_malloc_conf =
    "narenas:1,oversize_threshold:0,dirty_decay_ms:0,muzzy_decay_ms:0,retain:false,"
    "tcache_max:262144,tcache_gc_incr_bytes:262144,tcache_nslots_large:8";
}

namespace hotlane::fallback {

namespace {

constexpr int kZeroed = 0x40;  // MALLOCX_ZERO

enum class State : uint8_t {
    untouched,
    held,      // untouched, and a fork is in progress: wait
    starting,  // a thread initialises jemalloc: the others wait, lest one of them does it on its own small stack
    ready,
};
std::atomic<State> state{State::untouched};
std::atomic<const void*> starter{
    nullptr};                  // the thread that initialises jemalloc, which may allocate meanwhile
bool locked_for_fork = false;  // written while fork holds all locks that come before jemalloc's

// Whether a block was allocated or freed since the last tick. Written only if that changes it, so that the
// cache line stays shared.
std::atomic<bool> moved{false};
std::atomic<uint64_t> next_pass_ns{UINT64_MAX};
std::atomic<uint64_t> dirty_since_ns{0};  // 0: no block came or went since the last purge

template <typename T>
bool read_control(const char* name, T& value) {
    size_t bytes = sizeof value;
    return private_jemalloc_mallctl(name, &value, &bytes, nullptr, 0) == 0;
}
void invoke_control(const char* name) { private_jemalloc_mallctl(name, nullptr, nullptr, nullptr, 0); }

/// Does for jemalloc's tables what the dynamic linker would have to do in every process.
void set_pointers_of_tables() {
    for (const uint16_t* word = private_jemalloc_relative_words; word != private_jemalloc_relative_words_end;
         ++word) {
        uintptr_t& pointer = private_jemalloc_tables[*word];
        pointer += address_of(&pointer);
    }
}

void initialise_jemalloc() {
    set_pointers_of_tables();
    // With this option, each block would begin at a random place in a page, and have an OS page more.
    if (&private_jemalloc_opt_cache_oblivious != nullptr) {
        private_jemalloc_opt_cache_oblivious = false;
    }
    const char* huge_pages = nullptr;
    // Any call initialises jemalloc. If the user has set jemalloc's own option for 2-MiB pages, jemalloc
    // keeps its own hooks, which obey that option.
    if (read_control("opt.thp", huge_pages) && strcmp(huge_pages, "default") == 0) {
        const void* hooks = &extent_hooks;  // jemalloc does not change them
        private_jemalloc_mallctl("arena.0.extent_hooks", nullptr, nullptr, &hooks, sizeof hooks);
    } else {
        ssize_t never = -1;
        private_jemalloc_mallctl("arena.0.dirty_decay_ms", nullptr, nullptr, &never, sizeof never);
    }
}

/// jemalloc 5.3.0 crashes if it cannot map a thread's cache, or all the memory of its start. So its first
/// call, and the first call of each thread, are made only if there is room for that.
thread_local bool had_room = false;

/// Tells threads apart without a system call, which a sandbox may forbid.
const void* this_thread() { return &had_room; }

[[gnu::noinline, gnu::cold]] void start_slow() {
    State seen = State::untouched;
    while (!state.compare_exchange_weak(seen, State::starting)) {
        if (seen == State::ready || (seen == State::starting && starter.load() == this_thread())) {
            return;
        }
        if (seen != State::untouched) {
            os::pause_briefly();  // a fork is in progress, or another thread is in this function
        }
        seen = State::untouched;
    }
    starter.store(this_thread());
    // jemalloc's start needs more than 8 KiB of stack.
    run_on_large_stack(initialise_jemalloc);
    next_pass_ns.store(0, std::memory_order_relaxed);
    // Pairs with the loads of state: a thread that reads `ready` finds jemalloc's hooks in place.
    state.store(State::ready);
}

void start() {
    if (state.load(std::memory_order_acquire) != State::ready) [[unlikely]] {
        start_slow();
    }
}

void note_activity() {
    if (!moved.load(std::memory_order_relaxed)) {
        moved.store(true, std::memory_order_relaxed);
    }
}

bool has_room_to_start() {
    if (!had_room) {
        const size_t room_bytes = state.load(std::memory_order_acquire) == State::ready ? 4 * MiB : 12 * MiB;
        void* room = os::reserve(room_bytes, os::page_size());  // as the extent hooks do
        had_room = room != nullptr && os::commit(room, room_bytes);
        if (room != nullptr) {
            os::unreserve(room, room_bytes);
        }
    }
    return had_room;
}

int alignment_flag(size_t alignment) {
    return alignment <= kMinAlignment ? 0 : __builtin_ctzl(alignment);  // MALLOCX_LG_ALIGN
}

/// Whether jemalloc gives blocks of this rounded size whole OS pages of their own. Other blocks share pages
/// in slabs.
bool begins_alone(size_t rounded_bytes) { return rounded_bytes % kSmallestOsPage == 0; }

size_t at_least_smallest(size_t bytes) {
    return bytes < block_map::kSmallestBlock ? block_map::kSmallestBlock : bytes;
}

bool resizes_in_place(void* p, size_t before, size_t bytes, size_t alignment) {
    if (first_blocks::usable_size(p) != 0) {
        return bytes <= before;
    }
    const int flags = alignment_flag(alignment);
    const size_t wanted = private_jemalloc_nallocx(bytes, flags);
    return wanted == before || private_jemalloc_xallocx(p, bytes, 0, flags) == wanted;
}

void* allocate_first(size_t bytes, size_t alignment, bool zeroed) {
    if (bytes > first_blocks::kLargestWithLimit && has_memory_limit()) {
        return nullptr;
    }
    void* p = first_blocks::take(bytes, alignment, zeroed);
    if (p != nullptr && !block_map::insert_exclusive(p)) {
        first_blocks::put_back(p);
        return nullptr;
    }
    return p;
}

}  // namespace

void ask_for_huge_pages_from(size_t bytes) { huge_from_bytes.store(bytes, std::memory_order_relaxed); }

void* allocate(size_t bytes, size_t alignment, bool zeroed) {
    if (!used()) {
        ask_for_limit_once();
        if (void* p = allocate_first(bytes, alignment, zeroed); p != nullptr) {
            return p;
        }
    }
    if (!has_room_to_start()) {
        return nullptr;
    }
    const ThreadForgetter forgetter;
    start();
    bytes = at_least_smallest(bytes);
    const int flags = alignment_flag(alignment) | (zeroed ? kZeroed : 0);
    void* p = private_jemalloc_mallocx(bytes, flags);
    if (p == nullptr) {
        return nullptr;
    }
    note_activity();
    const bool entered = begins_alone(private_jemalloc_nallocx(bytes, flags)) ? block_map::insert_exclusive(p)
                                                                              : block_map::enter_shared(p);
    if (!entered) {
        private_jemalloc_dallocx(p, 0);
        return nullptr;
    }
    return p;
}

// Does not use rallocx, which frees the old block before the block map can record it; another thread may get
// the pages in between. A change in place never moves the start of a block, nor changes whether the block
// begins alone in its page, so the block map stays as it is.
void* reallocate(void* p, size_t bytes, size_t alignment) {
    const ThreadForgetter forgetter;
    bytes = at_least_smallest(bytes);
    const size_t before = usable_size(p);
    if (address_of(p) % alignment == 0 && resizes_in_place(p, before, bytes, alignment)) {
        return p;
    }
    void* fresh = allocate(bytes, alignment, false);
    if (fresh == nullptr) {
        return nullptr;
    }
    memcpy(fresh, p, before < bytes ? before : bytes);
    release(p);
    return fresh;
}

bool release(void* p) {
    if (!block_map::erase(p)) {
        return false;
    }
    ErrnoSaver keep;
    if (first_blocks::put_back(p)) {
        return true;
    }
    note_activity();
    const ThreadForgetter forgetter;
    // The next request for addresses may not come from malloc, which would purge first, but be for a stack.
    constexpr size_t kWorthUnmapping = 1 * MiB;
    const bool unmap = private_jemalloc_sallocx(p, 0) >= kWorthUnmapping && addresses_are_scarce();
    private_jemalloc_dallocx(p, 0);
    if (unmap) [[unlikely]] {
        invoke_control("arena.0.purge");
        region.purge(tick_at(os::coarse_ns()), 0);
        region.give_back_end();
        region.give_back_holes();
    }
    return true;
}

size_t usable_size(const void* p) {
    if (const size_t bytes = first_blocks::usable_size(p); bytes != 0) {
        return bytes;
    }
    const ThreadForgetter forgetter;
    return private_jemalloc_sallocx(p, 0);
}

bool owns(const void* p) { return block_map::contains(p); }

bool released(const void* p) { return block_map::released(p); }

void mark_sampled(const void* p) { block_map::mark_sampled(p); }

void unmark_sampled(const void* p) { block_map::unmark_sampled(p); }

bool sampled(const void* p) { return block_map::sampled(p); }

bool used() { return state.load(std::memory_order_acquire) == State::ready; }

void purge() {
    if (!used()) {
        return;
    }
    ErrnoSaver keep;
    const ThreadForgetter forgetter;
    invoke_control("thread.tcache.flush");
    invoke_control("arena.0.purge");
}

void pass(uint64_t now_ns) {
    uint64_t due_ns = next_pass_ns.load(std::memory_order_relaxed);
    if (now_ns < due_ns || !next_pass_ns.compare_exchange_strong(due_ns, now_ns + kPurgeTickNs)) {
        return;
    }
    const bool moved_since = moved.exchange(false, std::memory_order_relaxed);
    uint64_t since_ns = dirty_since_ns.load(std::memory_order_relaxed);
    if (moved_since && since_ns == 0) {
        since_ns = now_ns;
        dirty_since_ns.store(since_ns, std::memory_order_relaxed);
    }
    if (since_ns != 0 && decide_purge(now_ns, since_ns, moved_since) == PurgeDecision::purge) {
        dirty_since_ns.store(0, std::memory_order_relaxed);
        purge();
    }
}

Statistics statistics() {
    const ThreadForgetter forgetter;
    Statistics result{};
    if (used()) {
        uint64_t epoch = 1;  // with any value, jemalloc increments its epoch and refreshes the statistics
        private_jemalloc_mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch);
        read_control("stats.allocated", result.allocated_bytes);
        read_control("stats.resident", result.resident_bytes);
    }
    const size_t of_first_blocks = first_blocks::live_bytes();
    result.allocated_bytes += of_first_blocks;
    result.resident_bytes += of_first_blocks;
    return result;
}

// The first jemalloc call of a thread allocates: it stores a thread-specific value and maps the thread's
// cache. Both need locks that fork is about to take, so the forking thread makes that call now.
void prepare_for_fork() {
    State seen = State::untouched;
    while (!state.compare_exchange_strong(seen, State::held)) {
        if (seen == State::ready) {
            if (uint64_t by_this_thread = 0; has_room_to_start()) {
                const ThreadForgetter forgetter;
                read_control("thread.allocated", by_this_thread);
            }
            return;
        }
        os::pause_briefly();  // another thread starts jemalloc
        seen = State::untouched;
    }
}

// If jemalloc has no room for this thread, its locks are not taken: the child may find them held.
void lock_for_fork() {
    locked_for_fork = used() && had_room;
    if (locked_for_fork) {
        private_jemalloc_prefork();
    }
}

void after_fork_parent() {
    const ThreadForgetter forgetter;
    if (locked_for_fork) {
        private_jemalloc_postfork_parent();
    } else if (!used()) {
        state.store(State::untouched);
    }
}

void after_fork_child() {
    const ThreadForgetter forgetter;
    if (locked_for_fork) {
        private_jemalloc_postfork_child();
    } else if (!used()) {
        state.store(State::untouched);
    }
}

}  // namespace hotlane::fallback
