// SPDX-License-Identifier: MIT
//
// hotlane's C++ interface. C++20, header only, on top of hotlane.h. Link with libhotlane.so or libhotlane.a.
//
// Sizes are in bytes. Memory is aligned to 64 bytes unless stated otherwise. A pool belongs to one thread;
// hotlane_pool_adopt() changes which one. Debug builds refuse other threads.
#pragma once

#include "hotlane/arena.hpp"
#include "hotlane/buffer.hpp"
#include "hotlane/buffer_pool.hpp"
#include "hotlane/frame_reader.hpp"
#include "hotlane/hotlane.h"
#include "hotlane/message_pools.hpp"
#include "hotlane/no_allocation.hpp"
#include "hotlane/object_pool.hpp"
#include "hotlane/pool_set.hpp"

#include <cstddef>

namespace hotlane {

/// The statistics of all classes, since the start of the process or the last hotlane_stats_reset(). See
/// hotlane_stats(). Any thread.
inline hotlane_statistics statistics() noexcept {
    hotlane_statistics all{};
    hotlane_stats(&all, sizeof all);
    return all;
}
/// The statistics of the class that serves requests of `size` bytes; all zero above 64 KiB. Any thread.
inline hotlane_class_statistics class_statistics(std::size_t size) noexcept {
    hotlane_class_statistics of_class{};
    hotlane_class_stats(size, &of_class, sizeof of_class);
    return of_class;
}
/// The statistics of the pools of one name; all zero when there never was one. Any thread.
inline hotlane_pool_statistics pool_statistics(const char* name) noexcept {
    hotlane_pool_statistics of_pool{};
    hotlane_pool_stats(name, &of_pool, sizeof of_pool);
    return of_pool;
}

/// The statistics of the arenas of one name; all zero when there never was one. Any thread.
inline hotlane_arena_statistics arena_statistics(const char* name) noexcept {
    hotlane_arena_statistics of_arena{};
    hotlane_arena_stats(name, &of_arena, sizeof of_arena);
    return of_arena;
}

}  // namespace hotlane
