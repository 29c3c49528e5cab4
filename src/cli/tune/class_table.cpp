// SPDX-License-Identifier: MIT
//
// The dynamic program, and its candidates and weights.
#include "cli/tune/class_table.h"

#include "options/config.h"
#include "page_heap/size_classes.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hotlane::cli {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

bool may_follow(const std::vector<Candidate>& candidates, size_t before, size_t next) {
    const uint32_t size = candidates[next - 1].size;
    return before == 0 ? size <= kLargestFirst : size <= kLargestRatio * candidates[before - 1].size;
}

/// What is left over at the end of a span is never touched, so only the rest of its last OS page is resident.
double bytes_in_span(uint32_t size) {
    const size_t objects = detail::span_pages_for(size) * kRegionPageSize / size;
    return static_cast<double>(round_up(objects * size, kSmallestOsPage)) / static_cast<double>(objects);
}

std::vector<Candidate> candidates_at(uint32_t alignment) {
    std::vector<Candidate> candidates;
    for (uint32_t size = alignment; size <= kLargestSmall;) {
        candidates.push_back({.size = size, .bytes_per_object = bytes_in_span(size)});
        size += size < kSmallLimit ? alignment : static_cast<uint32_t>(kMediumStep);
    }
    return candidates;
}

/// The weights are the objects live at the peak. Two small parts are added. Requests count, too, because what
/// is not live at the peak is live at another time. And all sizes get a little, evenly by their logarithm, so
/// that classes which the run has no use for are spread over the sizes that it did not ask for.
void add_weights(std::vector<Candidate>& candidates, const Demand& demand) {
    constexpr double kOfRequests = 1e-3;
    constexpr double kOfAllSizes = 1e-4;
    double requested = 0;
    for (const SizeDemand& row : demand) {
        requested += row.requests * row.size;
    }
    const double live = std::max(live_bytes(demand), 1.0);
    const double per_request = requested == 0 ? 0 : kOfRequests * live / requested;
    uint32_t before = 0;
    auto row = demand.begin();
    for (Candidate& candidate : candidates) {
        for (; row != demand.end() && row->size <= candidate.size; ++row) {
            candidate.weight += row->live + per_request * row->requests;
        }
        const double width = std::log((candidate.size + 1.0) / (before + 1.0));
        candidate.weight += kOfAllSizes * live * width / std::log(kLargestSmall + 1.0) / candidate.size;
        before = candidate.size;
    }
}

ClassSizes sizes_of(const SizeClasses& table) {
    ClassSizes sizes;
    for (ClassIndex c = 1; c < table.count; ++c) {
        sizes.push_back(table[c].object_size);
    }
    return sizes;
}

}  // namespace

ClassSizes least_rounding(const std::vector<Candidate>& candidates, unsigned most) {
    const size_t count = candidates.size();
    std::vector<double> weight_until(count + 1, 0);  // place i stands for candidates[i - 1]; 0: no class yet
    for (size_t i = 0; i < count; ++i) {
        weight_until[i + 1] = weight_until[i] + candidates[i].weight;
    }
    std::vector<double> best(count + 1, kNever);  // of tables that end at a place
    best[0] = 0;
    std::vector<std::vector<uint32_t>> before;  // by number of classes: the place before the last one
    double least = kNever;
    size_t classes = 0;
    for (unsigned k = 1; k <= most; ++k) {
        std::vector<double> extended(count + 1, kNever);
        before.emplace_back(count + 1, 0);
        for (size_t end = 1; end <= count; ++end) {
            const double each = candidates[end - 1].bytes_per_object;
            for (size_t from = 0; from < end; ++from) {
                const double cost = best[from] + (weight_until[end] - weight_until[from]) * each;
                if (cost < extended[end] && may_follow(candidates, from, end)) {
                    extended[end] = cost;
                    before.back()[end] = static_cast<uint32_t>(from);
                }
            }
        }
        best = std::move(extended);
        if (best[count] < least) {
            least = best[count];
            classes = k;
        }
    }
    ClassSizes sizes;
    for (size_t place = count; classes > 0; place = before[--classes][place]) {
        sizes.push_back(candidates[place - 1].size);
    }
    std::reverse(sizes.begin(), sizes.end());
    return sizes;
}

ClassSizes best_classes(const Demand& demand, unsigned most, uint32_t alignment) {
    std::vector<Candidate> candidates = candidates_at(alignment);
    add_weights(candidates, demand);
    return least_rounding(candidates, most);
}

ClassSizes cacheline_classes() { return sizes_of(build_size_classes({})); }
ClassSizes compact_classes() { return sizes_of(build_size_classes({.choice = ClassChoice::compact})); }

size_t class_for(const ClassSizes& classes, uint32_t size) {
    const auto found = std::lower_bound(classes.begin(), classes.end(), size);
    return static_cast<size_t>(std::min(found, classes.end() - 1) - classes.begin());
}

double rounding_bytes(const Demand& demand, const ClassSizes& classes) {
    double lost = 0;
    for (const SizeDemand& row : demand) {
        lost += row.live * classes[class_for(classes, row.size)] - row.live_bytes;
    }
    return lost;
}

double resident_bytes(const Demand& demand, const ClassSizes& classes) {
    constexpr double kPage = kSmallestOsPage;
    constexpr double kHalfRing = 128.0 * KiB;
    std::vector<double> of_class(classes.size(), 0);
    for (const SizeDemand& row : demand) {
        const size_t c = class_for(classes, row.size);
        // Of a gap behind a request, the OS pages that lie completely in it are not touched.
        const double gap = classes[c] - row.size;
        of_class[c] += row.live * (bytes_in_span(classes[c]) - std::max(gap - (kPage - 1), 0.0));
    }
    double bytes = 0;
    for (const double live : of_class) {
        bytes += live + std::min(live / 4, kHalfRing);  // free objects of the class that wait for a request
    }
    // Each page of a span has a bit for each object of the smallest class.
    return bytes * (1 + 1.0 / classes.front() / 8);
}

}  // namespace hotlane::cli
