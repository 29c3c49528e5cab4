// SPDX-License-Identifier: MIT
//
// Writes a heap profile as pprof's profile.proto, not compressed: addresses and mappings with build-ids, without
// symbols, which readers find by the build-ids.
#pragma once

#include "profiler/pprof/protobuf.h"

namespace hotlane::pprof {

/// Writes the whole profile to the sink, which is called without a lock of the profile. Returns false with errno set
/// if the sink failed or there is no memory for the table of addresses. Does not allocate. Several threads may write
/// at a time.
[[nodiscard]] bool write_profile(Sink sink, void* context, uint64_t duration_ns);

}  // namespace hotlane::pprof
