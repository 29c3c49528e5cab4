// SPDX-License-Identifier: MIT
//
// Numbers the names of threads, for samples that tell by which thread they were taken.
#pragma once

#include "base/base.h"

namespace hotlane::thread_names {

/// The last number stands for all names that found no place.
inline constexpr uint32_t kMostNames = 1024;
inline constexpr uint32_t kOthers = kMostNames + 1;

/// The number of the calling thread's name, from 1; 0 if it has none. The thread may be renamed: the name is read
/// at its first, second, fourth, … call, and at each 64th. Takes no lock.
uint32_t number_of_this_thread();
/// The name of a number up to kOthers; empty if there is none. Valid as long as the process lives.
const char* name(uint32_t number);

}  // namespace hotlane::thread_names
