// SPDX-License-Identifier: MIT
//
// Scopes without allocations: the functions of hotlane/no_allocation.h.
#pragma once

#include "hotlane/no_allocation.h"

namespace hotlane::scopes {

void begin(hotlane_no_allocation& scope, unsigned flags);
/// Returns whether the thread made no request in the scope.
bool end(hotlane_no_allocation& scope);

}  // namespace hotlane::scopes
