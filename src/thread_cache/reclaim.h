// SPDX-License-Identifier: MIT
//
// Returns the unused objects of all thread caches to the depots.
#pragma once

#include "base/base.h"

namespace hotlane {

namespace reclaim {
/// How much one call does, in units: to move an object is one, to look at a class of a thread is kLook. A call takes
/// about half a millisecond, however many threads there are and whatever they have cached.
inline constexpr uint32_t kMostInCall = 24 * 1024;
inline constexpr uint32_t kLook = 8;
}  // namespace reclaim

/// Moves objects of classes that were not used since the last visit from the caches of threads to the depots. Stops
/// after kMostInCall units, at the end of a thread's cache; the next call goes on with the next thread. Returns true if
/// it stopped early because there was much to move: the next call should come soon. If `everything`, moves objects of all
/// classes from the caches of all threads. Other threads keep a few objects of each class; the calling thread keeps none
/// of these classes. Works on sleeping threads without waking them. The caller holds the lock of the maintenance. Holds
/// the locks of at most 64 caches at once.
bool reclaim_caches(bool everything);

}  // namespace hotlane
