// SPDX-License-Identifier: MIT
//
// Lays the table out: the first column to the left, numbers to the right.
#include "cli/pools/generate/table.h"

#include "cli/text/quantity.h"
#include "text/units.h"

#include <algorithm>
#include <array>

namespace hotlane::cli {

namespace {

using Row = std::array<std::string, 6>;

std::string grouped(uint64_t number) {
    char memory[32];
    Writer out{memory, sizeof memory};
    write_grouped_count(out, number);
    return {memory, out.bytes_written()};
}

std::string rows_text(const std::vector<Row>& rows) {
    std::array<size_t, 6> widths{};
    for (const Row& row : rows) {
        for (size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const Row& row : rows) {
        text += row[0] + std::string(widths[0] - row[0].size(), ' ');
        for (size_t i = 1; i < row.size(); ++i) {
            text += std::string(2 + widths[i] - row[i].size(), ' ') + row[i];
        }
        text += "\n";
    }
    return text;
}

}  // namespace

std::string plan_table(const Plan& plan) {
    std::vector<const PlannedMessage*> messages;
    for (const PlannedMessage& message : plan.messages) {
        messages.push_back(&message);
    }
    std::stable_sort(messages.begin(), messages.end(), [](const PlannedMessage* a, const PlannedMessage* b) {
        return a->buffer_class < b->buffer_class;
    });
    std::vector<Row> rows{{"MESSAGE", "SIZE", "CLASS", "CAPACITY", "BYTES", "WASTE"}};
    uint64_t previous = 0;
    for (const PlannedMessage* message : messages) {
        const PlannedClass& one = plan.class_of(*message);
        const bool is_first = one.object_size != previous;
        previous = one.object_size;
        rows.push_back({message->name, grouped(message->max_size), grouped(one.object_size),
                        is_first ? grouped(one.capacity) : "same",
                        is_first ? grouped(one.capacity * one.object_size) : "same",
                        share_text(static_cast<int64_t>(one.object_size - message->max_size),
                                   static_cast<int64_t>(one.object_size))});
    }
    rows.push_back({"total", "", "", "", grouped(plan.bytes()), ""});
    return rows_text(rows);
}

}  // namespace hotlane::cli
