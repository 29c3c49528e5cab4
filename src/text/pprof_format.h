// SPDX-License-Identifier: MIT
//
// pprof's profile.proto, as the library and the command write it: the number of each field, and which frames readers
// leave out.
#pragma once

#include "base/base.h"

namespace hotlane::pprof_format {

struct ProfileField {
    enum : uint32_t {
        kSampleType = 1,
        kSample,
        kMapping,
        kLocation,
        kFunction,
        kStringTable,
        kDropFrames,
        kTimeNanos = 9,
        kDurationNanos,
        kPeriodType,
        kPeriod,
        kComment,
        kDefaultSampleType
    };
};
struct ValueTypeField {
    enum : uint32_t { kType = 1, kUnit };
};
struct SampleField {
    enum : uint32_t { kLocationId = 1, kValue, kLabel };
};
struct LabelField {
    enum : uint32_t { kKey = 1, kText, kNumber, kUnit };
};
struct MappingField {
    enum : uint32_t {
        kId = 1,
        kStart,
        kLimit,
        kOffset,
        kFilename,
        kBuildId,
        kHasFunctions,
        kHasFilenames,
        kHasLineNumbers,
        kHasInlineFrames
    };
};
struct LocationField {
    enum : uint32_t { kId = 1, kMappingId, kAddress, kLine };
};
struct LineField {
    enum : uint32_t { kFunctionId = 1, kLine };
};
struct FunctionField {
    enum : uint32_t { kId = 1, kName, kSystemName, kFilename };
};

/// Readers leave out frames that match as a whole, and what these call: the allocator itself.
inline constexpr char kAllocatorFrames[] =
    "hotlane::.*|hotlane_.*|malloc|calloc|realloc|reallocarray|memalign|"
    "aligned_alloc|posix_memalign|valloc|pvalloc|operator new.*";

}  // namespace hotlane::pprof_format
