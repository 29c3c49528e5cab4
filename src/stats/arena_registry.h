// SPDX-License-Identifier: MIT
//
// What the arenas of hotlane/arena.hpp hold: the counts under each name.
#pragma once

#include "stats/stats.h"

namespace hotlane::arenas {

/// An arena begins. Returns the number of its name, which the other functions take. `name` null: "unnamed". There are
/// at most kMaxArenaNames names; the last one is "others", for all new names when the rest is taken. Takes a lock
/// unless the arena is unnamed.
uint32_t begin(const char* name);
/// An arena takes pages (or gives them back, if `bytes` is negative) and then holds `held` bytes.
void change(uint32_t number, ptrdiff_t bytes, size_t held);
/// An arena gets no page: it is at its limit, or there is no memory.
void refuse(uint32_t number);
/// An arena ends that holds `bytes`.
void end(uint32_t number, size_t bytes);

/// Any thread may call it.
void add_to(Snapshot& snapshot);

}  // namespace hotlane::arenas
