// SPDX-License-Identifier: MIT
//
// How a name is exported; everything else in the library is hidden.
// Knows nothing.
// Included by the forwarders.
#pragma once

#define HOTLANE_EXPORT extern "C" [[gnu::visibility("default")]]
