// SPDX-License-Identifier: MIT
//
// Finds the owner of a pointer outside the spans. Each tier is asked by address, the cheapest test first.
#include "malloc/owner.h"

#include "fallback/fallback.h"
#include "guards/guard.h"
#include "profiler/sample_registry.h"

namespace hotlane {

Owner owner_outside_spans(const void* p) {
    if (guard::contains(p)) {
        return {Tier::guard};
    }
    if (profile::contains(p)) {
        return {Tier::sample};
    }
    return {fallback::owns(p) ? Tier::fallback : Tier::none};
}

size_t usable_size_outside_spans(Tier tier, const void* p) {
    switch (tier) {
    case Tier::guard:
        return guard::usable_size(p);
    case Tier::sample:
        return profile::usable_size(p);
    case Tier::fallback:
        return fallback::usable_size(p);
    default:
        return 0;
    }
}

}  // namespace hotlane
