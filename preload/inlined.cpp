// SPDX-License-Identifier: MIT
//
// The functions that the headers inline, as symbols for languages that cannot read C headers. The headers define
// them under other names here. With the same name, clang takes the call for a recursion without an end.
#define hotlane_pool_get inlined_pool_get
#define hotlane_pool_put inlined_pool_put
#define hotlane_pool_set_get inlined_pool_set_get
#define hotlane_pool_set_put inlined_pool_set_put
#include "hotlane/pool_set.h"
#undef hotlane_pool_get
#undef hotlane_pool_put
#undef hotlane_pool_set_get
#undef hotlane_pool_set_put

#pragma GCC visibility push(default)
extern "C" {
void* hotlane_pool_get(hotlane_pool* pool) noexcept { return inlined_pool_get(pool); }
void hotlane_pool_put(hotlane_pool* pool, void* p) noexcept { inlined_pool_put(pool, p); }
void* hotlane_pool_set_get(hotlane_pool_set* set, size_t size) noexcept {
    return inlined_pool_set_get(set, size);
}
void hotlane_pool_set_put(hotlane_pool_set* set, void* p) noexcept { inlined_pool_set_put(set, p); }
}
#pragma GCC visibility pop
