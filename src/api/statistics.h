// SPDX-License-Identifier: MIT
//
// Copies the counters into the structures of hotlane/hotlane.h, counted since the last reset.
#pragma once

#include "hotlane/hotlane.h"
#include "stats/stats.h"

namespace hotlane::pools {

double share(uint64_t part, uint64_t whole, double of_nothing);
hotlane_class_statistics as_c(const ClassStats& stats);

// See the functions of hotlane/hotlane.h.
size_t copy_statistics(struct hotlane_statistics* out, size_t size);
size_t copy_class_statistics(size_t request, hotlane_class_statistics* out, size_t size);
size_t copy_arena_statistics(const char* name, hotlane_arena_statistics* out, size_t size);
size_t copy_pool_statistics(const char* name, hotlane_pool_statistics* out, size_t size);
void reset_statistics();
int print_statistics(int fd, hotlane_format format);
size_t format_statistics(char* out, size_t capacity, hotlane_format format);

}  // namespace hotlane::pools
