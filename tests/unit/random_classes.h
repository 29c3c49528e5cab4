// SPDX-License-Identifier: MIT
//
// Tables of size classes that no person would write.
#pragma once

#include "options/config.h"

#include <random>
#include <set>

namespace hotlane {

/// A valid table of the sizes that HOTLANE_SIZE_CLASSES accepts, with 1 to 63 classes.
inline ClassTable random_classes(unsigned seed) {
    std::mt19937 random(seed);
    std::set<uint32_t> sizes{static_cast<uint32_t>(kLargestSmall)};
    const size_t step = seed % 2 == 0 ? 16 : 64;
    const size_t count = random() % (kMaxClasses - 1);
    while (sizes.size() <= count) {
        const bool small = random() % 2 == 0;
        sizes.insert(
            static_cast<uint32_t>(small ? (1 + random() % (KiB / step)) * step : KiB + random() % 1008 * 64));
        if (small && sizes.size() >= KiB / step) {
            break;
        }
    }
    ClassTable table;
    table.choice = ClassChoice::listed;
    for (const uint32_t size : sizes) {
        table.sizes[table.count++] = size;
    }
    return table;
}

}  // namespace hotlane
