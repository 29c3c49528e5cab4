// SPDX-License-Identifier: MIT
//
// Collects problems, and finds the name that was probably meant.
#include "cli/pools/contract/problems.h"

#include "cli/text/quantity.h"
#include "cli/text/shown_text.h"

#include <algorithm>
#include <tuple>

namespace hotlane::cli {

namespace {

/// Names that are longer are not compared.
constexpr size_t kLongestCompared = 64;

size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size(); ++j) {
            const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

void Problems::add(const Place& place, std::string_view what) {
    constexpr size_t kLongest = 400;
    if (all_.size() == kMost) {
        ++left_out_;
        return;
    }
    const auto found = std::find(files_.begin(), files_.end(), place.file);
    const auto file = static_cast<size_t>(found - files_.begin());
    if (found == files_.end()) {
        files_.push_back(place.file);
    }
    all_.push_back({place, file, cut_text(shown_text(what), kLongest)});
}

std::vector<std::string> Problems::lines() const {
    std::vector<const Problem*> sorted;
    for (const Problem& problem : all_) {
        sorted.push_back(&problem);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const Problem* a, const Problem* b) {
        return std::tie(a->file, a->place.line, a->place.column) <
               std::tie(b->file, b->place.line, b->place.column);
    });
    std::vector<std::string> lines;
    for (const Problem* problem : sorted) {
        const Place& place = problem->place;
        lines.push_back(shown_text(place.file) + ":" + std::to_string(std::max(place.line, 1U)) + ":" +
                        std::to_string(std::max(place.column, 1U)) + ": " + problem->what);
    }
    if (left_out_ > 0) {
        lines.push_back(counted(static_cast<int64_t>(left_out_), "more problem"));
    }
    return lines;
}

std::string quoted(std::string_view name) {
    std::string text{"\""};
    text += name;
    text += '"';
    return text;
}

std::string Problems::suggestion(std::string_view name, const std::vector<std::string_view>& known) const {
    constexpr size_t kMostProblems = 100;
    constexpr size_t kMostNames = 2000;
    if (name.size() > kLongestCompared || all_.size() > kMostProblems || known.size() > kMostNames) {
        return "";
    }
    std::string_view closest;
    size_t fewest = name.size() / 2 + 1;  // with more edits it is another name
    for (const std::string_view candidate : known) {
        if (candidate.size() > kLongestCompared) {
            continue;
        }
        const size_t edits = edit_distance(name, candidate);
        if (edits < fewest) {
            fewest = edits;
            closest = candidate;
        }
    }
    return closest.empty() ? "" : "; did you mean " + quoted(closest) + "?";
}

}  // namespace hotlane::cli
