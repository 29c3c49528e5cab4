// SPDX-License-Identifier: MIT
//
// Adds and subtracts profiles. Equal functions, frames and stacks are stored once.
#include "cli/profile/profile.h"

#include "cli/text/function_name.h"
#include "cli/text/shown_text.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace hotlane::cli {

int64_t add_clamped(int64_t a, int64_t b) {
    int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) {
        return sum;
    }
    return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

int64_t subtract_clamped(int64_t a, int64_t b) {
    int64_t difference = 0;
    if (!__builtin_sub_overflow(a, b, &difference)) {
        return difference;
    }
    return b < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

namespace {

constexpr size_t kLongestPath = 4096;

void add_to(int64_t& sum, int64_t n) { sum = add_clamped(sum, n); }

void add_to(AllocationTotals::Amount& sum, const AllocationTotals::Amount& n) {
    add_to(sum.objects, n.objects);
    add_to(sum.bytes, n.bytes);
    add_to(sum.requested, n.requested);
}

void add_to(AllocationTotals::Count& sum, const AllocationTotals::Count& n) {
    add_to(sum.objects, n.objects);
    add_to(sum.bytes, n.bytes);
}

void add_to(std::map<int64_t, Profile::SizeClass>& sum, const std::map<int64_t, Profile::SizeClass>& n) {
    for (const auto& [size, counts] : n) {
        add_to(sum[size].hits, counts.hits);
        add_to(sum[size].misses, counts.misses);
        add_to(sum[size].puts, counts.puts);
    }
}

using ByTags = std::map<Profile::Tags, AllocationTotals>;

void add_tags(ByTags& sums, const ByTags& by_tags) {
    for (const auto& [tags, totals] : by_tags) {
        sums[tags] += totals;
    }
}

int64_t negated(int64_t n) { return subtract_clamped(0, n); }

AllocationTotals::Amount negated(const AllocationTotals::Amount& n) {
    return {negated(n.objects), negated(n.bytes), negated(n.requested)};
}

AllocationTotals::Count negated(const AllocationTotals::Count& n) {
    return {negated(n.objects), negated(n.bytes)};
}

/// Returns the index of `value` in `values`, and adds the value if it is missing.
template <typename T, typename Key, typename Index>
Index add_once(std::vector<T>& values, std::map<Key, Index>& index, const Key& key, const T& value) {
    const auto [place, added] = index.try_emplace(key, static_cast<Index>(values.size()));
    if (added) {
        values.push_back(value);
    }
    return place->second;
}

}  // namespace

AllocationTotals& AllocationTotals::operator+=(const AllocationTotals& other) {
    add_to(live, other.live);
    add_to(peak, other.peak);
    add_to(cumulative, other.cumulative);
    add_to(temporary, other.temporary);
    add_to(remote, other.remote);
    for (const auto& [log2_ns, objects] : other.lifetimes) {
        add_to(lifetimes[log2_ns], objects);
    }
    return *this;
}

AllocationTotals AllocationTotals::operator-() const {
    AllocationTotals totals{negated(live),      negated(peak),   negated(cumulative),
                            negated(temporary), negated(remote), {}};
    for (const auto& [log2_ns, objects] : lifetimes) {
        totals.lifetimes[log2_ns] = negated(objects);
    }
    return totals;
}

bool AllocationTotals::is_zero() const {
    return live == Amount{} && peak == Amount{} && cumulative == Amount{} && temporary == Count{} &&
           remote == Count{};
}

uint32_t Profile::add_library(const Library& library) {
    const std::string path = cut_text(shown_text(library.path), kLongestPath);
    return add_once(libraries_, library_index_, path,
                    {path, library.start, library.end, library.bias, library.build_id});
}

uint32_t Profile::add_function(const Function& function) {
    const Function shown{bounded_name(shown_text(function.name)),
                         cut_text(shown_text(function.file), kLongestPath), function.library};
    return add_once(functions_, function_index_, shown, shown);
}

uint32_t Profile::add_frame(const Frame& frame) { return add_once(frames_, frame_index_, frame, frame); }

Profile::Stack& Profile::add_stack(const std::vector<uint32_t>& frames, const AllocationTotals& totals) {
    const size_t at = add_once(stacks_, stack_index_, frames, Stack{frames, 0, {}, {}});
    Stack& stack = stacks_[at];
    stack.totals += totals;
    stack.site = site_of(frames);
    return stack;
}

void Profile::add_stack(const std::vector<uint32_t>& frames, const AllocationTotals& totals,
                        const Tags& tags) {
    Stack& stack = add_stack(frames, totals);
    if (!tags.empty()) {
        stack.by_tags[tags] += totals;
    }
}

size_t Profile::site_of(const std::vector<uint32_t>& frames) const {
    const auto allocates = [this](uint32_t frame) {
        const Function& function = function_of(frame);
        return is_allocator(function.name, library_of(frame).name()) ||
               (is_wrapper_ ? is_wrapper_(function, library_of(frame)) : is_wrapper(function.name));
    };
    const auto first = std::find_if_not(frames.begin(), frames.end(), allocates);
    const auto own = std::find_if_not(first, frames.end(), [&](uint32_t frame) {
        return allocates(frame) || is_standard(function_of(frame).name);
    });
    const auto site = own != frames.end() ? own : first != frames.end() ? first : frames.begin();
    return static_cast<size_t>(site - frames.begin());
}

void Profile::set_wrappers(IsWrapper is_wrapper) {
    is_wrapper_ = std::move(is_wrapper);
    for (Stack& stack : stacks_) {
        stack.site = site_of(stack.frames);
    }
}

void Profile::count_requested_bytes() {
    const auto count = [](AllocationTotals& totals) {
        for (AllocationTotals::Amount* amount : {&totals.live, &totals.peak, &totals.cumulative}) {
            amount->bytes = amount->requested;
        }
    };
    origin.requested = true;
    for (Stack& stack : stacks_) {
        count(stack.totals);
        for (auto& [tags, totals] : stack.by_tags) {
            count(totals);
        }
    }
    for (Moment& moment : moments) {
        for (auto& [stack, totals] : moment.changes) {
            count(totals);
        }
    }
    if (base) {
        for (auto& [stack, totals] : base->totals) {
            count(totals);
        }
        for (auto& [stack, by_tags] : base->by_tags) {
            for (auto& [tags, totals] : by_tags) {
                count(totals);
            }
        }
    }
}

/// Returns our index of each frame of `other`.
std::vector<uint32_t> Profile::frames_of(const Profile& other) {
    std::vector<uint32_t> ours;
    ours.reserve(other.frames_.size());
    for (Frame frame : other.frames_) {
        Function function = other.functions_[frame.function];
        function.library = add_library(other.libraries_[function.library]);
        frame.function = add_function(function);
        ours.push_back(add_frame(frame));
    }
    return ours;
}

std::vector<uint32_t> Profile::renumbered(const Stack& stack, const std::vector<uint32_t>& ours) {
    std::vector<uint32_t> frames;
    frames.reserve(stack.frames.size());
    for (const uint32_t frame : stack.frames) {
        frames.push_back(ours[frame]);
    }
    return frames;
}

void Profile::add_moment(const Profile& earlier) {
    Moment moment{std::max<int64_t>(0, subtract_clamped(earlier.origin.time_ns, origin.begin_ns)),
                  earlier.origin.sequence,
                  earlier.origin.reason,
                  {}};
    const std::vector<uint32_t> ours = frames_of(earlier);
    for (const Stack& stack : earlier.stacks_) {
        if (const auto found = stack_index_.find(renumbered(stack, ours)); found != stack_index_.end()) {
            moment.changes[found->second] += stack.totals;
        }
    }
    for (const Moment& before : moments) {
        for (const auto& [stack, totals] : before.changes) {
            moment.changes[stack] += -totals;
        }
    }
    std::erase_if(moment.changes, [](const auto& change) { return change.second.is_zero(); });
    moments.push_back(std::move(moment));
}

void Profile::renumber_totals(const std::map<size_t, size_t>& kept) {
    const auto renumber = [&kept](auto& all) {
        std::remove_reference_t<decltype(all)> renumbered;
        for (auto& [stack, what] : all) {
            if (const auto found = kept.find(stack); found != kept.end()) {
                renumbered[found->second] = std::move(what);
            }
        }
        all = std::move(renumbered);
    };
    for (Moment& moment : moments) {
        renumber(moment.changes);
    }
    if (base) {
        renumber(base->totals);
        renumber(base->by_tags);
    }
}

void Profile::add(const Profile& other) {
    const std::vector<uint32_t> ours = frames_of(other);
    for (const Stack& stack : other.stacks_) {
        add_tags(add_stack(renumbered(stack, ours), stack.totals).by_tags, stack.by_tags);
    }
    add_to(classes, other.classes);
    origin.has_peak = origin.has_peak && other.origin.has_peak;
    timeline.clear();
    moments.clear();
    origin.duration_ns = std::max(origin.duration_ns, other.origin.duration_ns);
    add_to(origin.samples, other.origin.samples);
    add_to(origin.lost_samples, other.origin.lost_samples);
}

void Profile::add_base(const Profile& other) {
    if (!base) {
        base.emplace().origin = other.origin;
    }
    base->origin.has_peak = base->origin.has_peak && other.origin.has_peak;
    add_to(base->classes, other.classes);
    const std::vector<uint32_t> ours = frames_of(other);
    for (const Stack& stack : other.stacks_) {
        const std::vector<uint32_t> frames = renumbered(stack, ours);
        add_stack(frames, {});
        const size_t number = stack_index_.at(frames);
        base->totals[number] += stack.totals;
        if (!stack.by_tags.empty()) {
            add_tags(base->by_tags[number], stack.by_tags);
        }
    }
}

void Profile::subtract_base() {
    if (!base) {
        return;
    }
    for (const auto& [stack, totals] : base->totals) {
        stacks_[stack].totals += -totals;
    }
    for (const auto& [stack, by_tags] : base->by_tags) {
        for (const auto& [tags, totals] : by_tags) {
            stacks_[stack].by_tags[tags] += -totals;
        }
    }
    for (auto& [size, counts] : base->classes) {
        counts = {negated(counts.hits), negated(counts.misses), negated(counts.puts)};
    }
    add_to(classes, base->classes);
    origin.difference = true;
    origin.has_peak = origin.has_peak && base->origin.has_peak;
    moments.clear();
    base.reset();
    keep([](const Stack& stack) { return !stack.totals.is_zero(); });
}

void Profile::subtract(const Profile& other) {
    add_base(other);
    subtract_base();
}

AllocationTotals Profile::total() const {
    AllocationTotals sum;
    for (const Stack& stack : stacks_) {
        sum += stack.totals;
    }
    return sum;
}

}  // namespace hotlane::cli
