// SPDX-License-Identifier: MIT
//
// How a function is exported. Everything else in the library is hidden.
#pragma once

#define HOTLANE_EXPORT extern "C" [[gnu::visibility("default")]]
