// SPDX-License-Identifier: MIT
//
// Lists live objects by stack, the largest first, each with its callers.
#include "cli/analysis/leaks.h"

#include "cli/analysis/site_table.h"
#include "cli/text/function_name.h"
#include "cli/text/quantity.h"

#include <algorithm>
#include <vector>

namespace hotlane::cli {

namespace {

std::string amount_text(const AllocationTotals::Amount& amount) {
    return size_text(amount.bytes) + " in " + counted(amount.objects, "object");
}

std::string stack_text(const Profile& profile, const Profile::Stack& stack) {
    constexpr size_t kMostFrames = 8;
    std::string text = amount_text(stack.totals.live) + ", allocated in\n";
    const size_t end = std::min(stack.frames.size(), stack.site + kMostFrames);
    for (size_t i = stack.site; i < end; ++i) {
        const std::string place = place_of(profile, stack.frames[i]);
        text += "    " + short_name(profile.function_of(stack.frames[i]).name) + (place.empty() ? "" : " ") +
                place;
        text += "\n";
    }
    if (end < stack.frames.size()) {
        text += "    " + std::to_string(stack.frames.size() - end) + " more\n";
    }
    return text;
}

}  // namespace

Leaks find_leaks(const Profile& profile, const Suppressions& suppressions, size_t most) {
    std::vector<const Profile::Stack*> stacks;
    AllocationTotals live;
    AllocationTotals suppressed;
    for (const Profile::Stack& stack : profile.stacks()) {
        const bool meant = suppressions.suppress(profile, stack);
        (meant ? suppressed : live) += stack.totals;
        if (!meant && stack.totals.live.bytes > 0) {
            stacks.push_back(&stack);
        }
    }
    std::stable_sort(stacks.begin(), stacks.end(), [](const Profile::Stack* a, const Profile::Stack* b) {
        return a->totals.live.bytes > b->totals.live.bytes;
    });
    Leaks leaks{live.live, suppressed.live, profile_heading(profile.origin) + "\n"};
    const size_t shown = std::min(most, stacks.size());
    for (size_t i = 0; i < shown; ++i) {
        leaks.text += stack_text(profile, *stacks[i]);
    }
    if (shown < stacks.size()) {
        leaks.text += counted(static_cast<int64_t>(stacks.size() - shown), "more stack") + "\n";
    }
    leaks.text += "live: " + amount_text(leaks.live);
    leaks.text += suppressed.live.objects == 0 ? "" : "; suppressed: " + amount_text(leaks.suppressed);
    leaks.text += "\n";
    return leaks;
}

}  // namespace hotlane::cli
