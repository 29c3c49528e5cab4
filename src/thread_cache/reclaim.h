// SPDX-License-Identifier: MIT
//
// Returns the unused objects of all thread caches to the depots.
#pragma once

namespace hotlane {

/// Moves objects from the caches of all threads to the depots: those of classes that were not used since the
/// last call or, if `everything`, of all classes. Other threads keep a few objects of each class; the calling
/// thread keeps none of these classes. Works on sleeping threads without waking them.
void reclaim_caches(bool everything);

}  // namespace hotlane
