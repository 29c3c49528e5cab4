// SPDX-License-Identifier: MIT
//
// Returns the unused objects of all thread caches to the depots.
#pragma once

#include "base/base.h"

namespace hotlane {

namespace reclaim {
/// How many caches one pass visits. With more threads, the next pass goes on where this one ended, so a pass takes less
/// than a millisecond however many threads there are.
inline constexpr uint32_t kMostInPass = 512;
}  // namespace reclaim

/// Moves objects from the caches of the next kMostInPass threads to the depots: those of classes that were not used since
/// the last visit. If `everything`, moves objects of all classes from the caches of all threads. Other threads keep a few
/// objects of each class; the calling thread keeps none of these classes. Works on sleeping threads without waking them.
/// The caller holds the lock of the maintenance. Holds the locks of at most 64 caches at once.
void reclaim_caches(bool everything);

}  // namespace hotlane
