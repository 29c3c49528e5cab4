// SPDX-License-Identifier: MIT
//
// hotlane's C++ interface: C++20, header only, on top of hotlane.h; link with libhotlane.so or libhotlane.a.
// Knows nothing of the library's inside but what hotlane.h inlines.
// Included by programs that know their buffers.
//
// Sizes are in bytes. Everything that hands out memory hands out multiples of 64 unless it says otherwise.
// What is called a pool here belongs to one thread (hotlane_pool_adopt() changes which); debug builds refuse
// others.
#pragma once

#include "hotlane/arena.hpp"
#include "hotlane/buffer.hpp"
#include "hotlane/buffer_pool.hpp"
#include "hotlane/hotlane.h"
#include "hotlane/object_pool.hpp"

#include <cstddef>

namespace hotlane {

/// As hotlane_stats(): of all classes together, since the process began or the last hotlane_stats_reset().
/// Any thread.
inline hotlane_statistics statistics() noexcept {
    hotlane_statistics all{};
    hotlane_stats(&all, sizeof all);
    return all;
}
/// Of the class that serves requests of `size` bytes; all zero above 64 KiB. Any thread.
inline hotlane_class_statistics class_statistics(std::size_t size) noexcept {
    hotlane_class_statistics of_class{};
    hotlane_class_stats(size, &of_class, sizeof of_class);
    return of_class;
}
/// Of the pools of a name; all zero when there never was one. Any thread.
inline hotlane_pool_statistics pool_statistics(const char* name) noexcept {
    hotlane_pool_statistics of_pool{};
    hotlane_pool_stats(name, &of_pool, sizeof of_pool);
    return of_pool;
}

}  // namespace hotlane
