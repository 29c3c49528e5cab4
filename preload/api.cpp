// SPDX-License-Identifier: MIT
//
// hotlane's own C interface: one-line forwarders.
// Must not decide anything.
// Called by programs that include hotlane/hotlane.h.
#include "allocator.h"
#include "hotlane/hotlane.h"
#include "pools/buffers.h"

using namespace hotlane;

#define HOTLANE_TEXT_OF(x) #x
#define HOTLANE_VERSION_TEXT(major, minor, patch)                                                            \
    HOTLANE_TEXT_OF(major) "." HOTLANE_TEXT_OF(minor) "." HOTLANE_TEXT_OF(patch)

#pragma GCC visibility push(default)

const char* hotlane_version() noexcept {
    return HOTLANE_VERSION_TEXT(HOTLANE_VERSION_MAJOR, HOTLANE_VERSION_MINOR, HOTLANE_VERSION_PATCH);
}
size_t hotlane_purge() noexcept { return purge_everything(); }
void hotlane_thread_flush() noexcept { flush_this_thread(); }
void hotlane_free_zeroed(void* p) noexcept { release_zeroed(p); }

#pragma GCC visibility pop
