// SPDX-License-Identifier: MIT
//
// Adds up stacks in a tree of functions, and prints its largest branches.
#include "cli/analysis/call_tree.h"

#include "cli/text/function_name.h"
#include "cli/text/quantity.h"
#include "cli/text/shown_text.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace hotlane::cli {

namespace {

constexpr size_t kDeepest = 200;

struct Branch {
    int64_t value = 0;
    std::map<uint32_t, std::unique_ptr<Branch>> parts;  // by function
};

struct Printer {
    const Profile& profile;
    const TableView& view;
    bool bytes;
    int64_t whole;
    size_t left;  // rows
    size_t omitted = 0;
    std::string text{};

    void row(int64_t value, const std::string& name, size_t depth) {
        constexpr size_t kNumber = 11;
        constexpr size_t kShare = 9;
        constexpr size_t kWidestIndent = 40;
        const auto right = [](const std::string& number, size_t width) {
            return std::string(width - std::min(width, number.size()), ' ') + number;
        };
        const size_t indent = std::min(2 * depth, kWidestIndent);
        const size_t before = kNumber + kShare + 2 + indent;
        text += right(bytes ? size_text(value) : count_text(value), kNumber);
        text += right(share_text(value, whole), kShare) + "  " + std::string(indent, ' ');
        text += keep_end(name, std::max<size_t>(20, view.width - std::min(view.width, before))) + "\n";
    }

    void branches(const Branch& branch, size_t depth) {
        std::vector<std::pair<uint32_t, const Branch*>> parts;
        for (const auto& [function, part] : branch.parts) {
            parts.emplace_back(function, part.get());
        }
        std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
            return std::abs(a.second->value) > std::abs(b.second->value);
        });
        for (const auto& [function, part] : parts) {
            const bool small = std::abs(part->value) < std::abs(whole / 100) || part->value == 0;
            if (small || left == 0 || depth == kDeepest) {
                omitted += 1;
                continue;
            }
            --left;
            const Profile::Function& named = profile.functions()[function];
            const std::string library = profile.libraries()[named.library].name();
            const bool has_library = library.empty() || named.name.starts_with(library + "+");
            row(part->value, short_name(named.name) + (has_library ? "" : " " + library), depth);
            branches(*part, depth + 1);
        }
    }
};

/// Adds the frames before or after `at` as a path of branches.
void add_path(Branch& root, const Profile& profile, const Profile::Stack& stack, size_t at,
              Direction direction, int64_t value) {
    Branch* branch = &root;
    branch->value = add_clamped(branch->value, value);
    const size_t steps =
        std::min(kDeepest, direction == Direction::callers ? stack.frames.size() - 1 - at : at);
    for (size_t step = 1; step <= steps; ++step) {
        const size_t index = direction == Direction::callers ? at + step : at - step;
        std::unique_ptr<Branch>& part = branch->parts[profile.frames()[stack.frames[index]].function];
        if (!part) {
            part = std::make_unique<Branch>();
        }
        branch = part.get();
        branch->value = add_clamped(branch->value, value);
    }
}

}  // namespace

std::string call_tree(const Profile& profile, const FrameFilter& function, Direction direction,
                      const TableView& view) {
    const Order order = view.order.value_or(default_order(profile));
    Branch root;
    size_t found = 0;
    for (const Profile::Stack& stack : profile.stacks()) {
        const auto outermost = std::find_if(stack.frames.rbegin(), stack.frames.rend(), [&](uint32_t frame) {
            return function.matches_text(profile.function_of(frame).name);
        });
        if (outermost != stack.frames.rend()) {
            ++found;
            add_path(root, profile, stack, static_cast<size_t>(stack.frames.rend() - outermost - 1),
                     direction, order_value(stack.totals, order));
        }
    }
    const bool callers = direction == Direction::callers;
    std::string text = profile_heading(profile.origin) + "\n";
    if (found == 0) {
        return text + "no stack has a function with this name\n";
    }
    Printer printer{profile, view, order_unit(order) == "bytes", root.value, view.most_rows};
    printer.row(root.value, std::string{order_name(order)} + (callers ? ", by callers" : ", by callees"), 0);
    printer.branches(root, 1);
    if (printer.omitted != 0) {
        printer.text +=
            counted(static_cast<int64_t>(printer.omitted), "part") + " with smaller numbers left out\n";
    }
    return text + printer.text;
}

}  // namespace hotlane::cli
