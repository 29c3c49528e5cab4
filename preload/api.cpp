// SPDX-License-Identifier: MIT
//
// The functions of hotlane/hotlane.h, each of which only calls its implementation. Those that the headers inline
// are in inlined.cpp.
#include "api/buffers.h"
#include "api/no_allocation.h"
#include "api/statistics.h"
#include "hotlane/hotlane.h"
#include "malloc/allocator.h"
#include "pools/frame_reader.h"
#include "pools/pool.h"
#include "pools/pool_layout.h"
#include "pools/pool_set.h"
#include "profiler/session.h"
#include "reports/hit_rate_alarm.h"
#include "reports/periodic_report.h"
#include "stats/arena_registry.h"
#include "thread_cache/thread_counts.h"

using namespace hotlane;

#define HOTLANE_TEXT_OF(x) #x
#define HOTLANE_VERSION_TEXT(major, minor, patch)                                                            \
    HOTLANE_TEXT_OF(major) "." HOTLANE_TEXT_OF(minor) "." HOTLANE_TEXT_OF(patch)

#pragma GCC visibility push(default)

const char* hotlane_version() noexcept {
    return HOTLANE_VERSION_TEXT(HOTLANE_VERSION_MAJOR, HOTLANE_VERSION_MINOR, HOTLANE_VERSION_PATCH);
}
size_t hotlane_purge() noexcept { return purge_everything(); }
void hotlane_thread_flush() noexcept { flush_this_thread(); }
void hotlane_free_zeroed(void* p) noexcept { release_zeroed(p); }

void* hotlane_get(size_t n) noexcept { return allocate_line_fast<get_slow>(n); }
void hotlane_put(void* p) noexcept { release(p); }
void hotlane_put_zeroed(void* p) noexcept { release_zeroed(p); }
size_t hotlane_capacity(const void* p) noexcept { return usable_size(p); }
void* hotlane_get_zeroed(size_t n) noexcept { return get_zeroed(n); }
void* hotlane_get_aligned(size_t alignment, size_t n) noexcept { return get_aligned(alignment, n); }
size_t hotlane_warmup(size_t n, size_t count) noexcept { return warm_up(n, count); }
int hotlane_warmup_threads(size_t n, size_t count) noexcept { return warm_up_threads(n, count); }

hotlane_pool* hotlane_pool_create(const char* name, size_t n, size_t count, unsigned flags) noexcept {
    return pools::create({name, n, count, 0, 0, flags});
}
hotlane_pool* hotlane_pool_create_with(const hotlane_pool_settings* settings, size_t size) noexcept {
    return pools::create(pools::known_settings(settings, size));
}
size_t hotlane_pool_trim(hotlane_pool* pool) noexcept { return pools::trim(*static_cast<Pool*>(pool)); }
size_t hotlane_pool_in_use(const hotlane_pool* pool) noexcept {
    return static_cast<const Pool*>(pool)->in_use();
}
size_t hotlane_pool_capacity(const hotlane_pool* pool) noexcept {
    return load_relaxed(static_cast<const Pool*>(pool)->capacity);
}
void hotlane_pool_destroy(hotlane_pool* pool) noexcept { pools::destroy(static_cast<Pool*>(pool)); }
void hotlane_pool_adopt(hotlane_pool* pool) noexcept { pools::adopt(*static_cast<Pool*>(pool)); }
void hotlane_pool_reset(hotlane_pool* pool) noexcept { pools::reset(*static_cast<Pool*>(pool)); }
void hotlane_pool_own_each(hotlane_pool* pool, size_t bytes) noexcept {
    pools::own_each(*static_cast<Pool*>(pool), bytes);
}
void hotlane_pool_own(hotlane_pool* pool, ptrdiff_t bytes) noexcept {
    pools::own(*static_cast<Pool*>(pool), bytes);
}
void* hotlane_pool_get_slow(hotlane_pool* pool) noexcept {
    return pools::get_slow(*static_cast<Pool*>(pool));
}
void hotlane_pool_put_slow(hotlane_pool* pool, void* p) noexcept {
    pools::put_slow(*static_cast<Pool*>(pool), p);
}
int hotlane_pool_may(hotlane_pool* pool, const void* p) noexcept {
    return pools::may(*static_cast<const Pool*>(pool), p) ? 1 : 0;
}

hotlane_pool_set* hotlane_pool_set_create(const hotlane_pool_set_settings* settings, size_t size) noexcept {
    return pools::create_set(settings, size);
}
void hotlane_pool_set_destroy(hotlane_pool_set* set) noexcept { pools::destroy_set(set); }
void hotlane_pool_set_adopt(hotlane_pool_set* set) noexcept { pools::adopt_set(*set); }
void* hotlane_pool_set_get_slow(hotlane_pool_set* set, size_t n) noexcept {
    return pools::get_from_set(*set, n);
}
void hotlane_pool_set_put_slow(hotlane_pool_set* set, void* p) noexcept { pools::put_into_set(*set, p); }

hotlane_frame_format* hotlane_frame_format_create(const hotlane_frame_header* header,
                                                  const hotlane_message* messages, size_t count) noexcept {
    return frames::create_format(*header, messages, count);
}
void hotlane_frame_format_destroy(hotlane_frame_format* format) noexcept { frames::destroy_format(format); }
void hotlane_frame_reader_init(hotlane_frame_reader* reader, const hotlane_frame_format* format,
                               hotlane_pool_set* set) noexcept {
    frames::begin(*reader, format, set);
}
void hotlane_frame_reader_end(hotlane_frame_reader* reader) noexcept { frames::end(*reader); }
hotlane_frame_status hotlane_frame_read(hotlane_frame_reader* reader, int fd, hotlane_frame* frame) {
    return frames::read(*reader, fd, *frame);
}
int hotlane_frame_skip(hotlane_frame_reader* reader) noexcept { return frames::skip(*reader) ? 0 : -1; }

size_t hotlane_stats(struct hotlane_statistics* out, size_t size) noexcept {
    return pools::copy_statistics(out, size);
}
size_t hotlane_class_stats(size_t request, struct hotlane_class_statistics* out, size_t size) noexcept {
    return pools::copy_class_statistics(request, out, size);
}
size_t hotlane_pool_stats(const char* name, struct hotlane_pool_statistics* out, size_t size) noexcept {
    return pools::copy_pool_statistics(name, out, size);
}
size_t hotlane_arena_stats(const char* name, struct hotlane_arena_statistics* out, size_t size) noexcept {
    return pools::copy_arena_statistics(name, out, size);
}
uint32_t hotlane_arena_begin(const char* name) noexcept { return arenas::begin(name); }
void hotlane_arena_change(uint32_t number, ptrdiff_t bytes, size_t held) noexcept {
    arenas::change(number, bytes, held);
}
void hotlane_arena_refuse(uint32_t number) noexcept { arenas::refuse(number); }
void hotlane_arena_end(uint32_t number, size_t bytes) noexcept { arenas::end(number, bytes); }
void hotlane_stats_reset() noexcept { pools::reset_statistics(); }
int hotlane_stats_print(int fd, hotlane_format format) noexcept {
    return pools::print_statistics(fd, format);
}
size_t hotlane_stats_format(char* out, size_t capacity, hotlane_format format) noexcept {
    return pools::format_statistics(out, capacity, format);
}
void hotlane_alarm_set(double below, uint64_t least_allocations, hotlane_alarm alarm,
                       void* context) noexcept {
    hit_rate_alarm::set(below, least_allocations, alarm, context);
    periodic_report::watch_passes();
}

uint64_t hotlane_thread_allocations() noexcept { return thread_counts::own().allocations; }
uint64_t hotlane_thread_frees() noexcept { return thread_counts::own().frees; }
void hotlane_no_allocation_begin(hotlane_no_allocation* scope, unsigned flags) noexcept {
    scopes::begin(*scope, flags);
}
int hotlane_no_allocation_end(hotlane_no_allocation* scope) noexcept { return scopes::end(*scope) ? 1 : 0; }

int hotlane_profile_start(size_t sample_bytes) noexcept { return profiling::start(sample_bytes) ? 0 : -1; }
void hotlane_profile_stop() noexcept { profiling::stop(); }
int hotlane_profile_print(int fd) noexcept { return profiling::dump_to_descriptor(fd) ? 0 : -1; }
int hotlane_profile_pprof(int fd) noexcept { return profiling::write_pprof_to_descriptor(fd) ? 0 : -1; }
int hotlane_profile_pprof_to(hotlane_write write, void* context) noexcept {
    return profiling::write_pprof(write, context) ? 0 : -1;
}
int hotlane_profile_dump(const char* path) noexcept { return profiling::dump(path) ? 0 : -1; }

#pragma GCC visibility pop
