// SPDX-License-Identifier: MIT
//
// Parses lists of labels and checks them against the rules of Prometheus.
#include "options/labels.h"

namespace hotlane {

namespace {

bool is_name(std::string_view name) {
    if (name.empty() || name.starts_with("__") || (name.front() >= '0' && name.front() <= '9')) {
        return false;
    }
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && c != '_' && !(c >= '0' && c <= '9')) {
            return false;
        }
    }
    for (const char* own : kOwnLabels) {
        if (name == own) {
            return false;
        }
    }
    return true;
}

bool has_label(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        if (take_label(list).name == name) {
            return true;
        }
    }
    return false;
}

}  // namespace

Label take_label(std::string_view& list) {
    size_t end = 0;
    size_t name = list.npos;
    for (; end < list.size() && list[end] != ','; ++end) {
        name = name == list.npos && list[end] == '=' ? end : name;
    }
    name = name == list.npos ? end : name;
    const size_t value = name == end ? end : name + 1;
    const Label label{{list.data(), name}, {list.data() + value, end - value}};
    list.remove_prefix(end == list.size() ? end : end + 1);
    return label;
}

bool labels_are_valid(std::string_view list) {
    std::string_view rest = list;
    while (!rest.empty()) {
        const std::string_view from = rest;
        const Label label = take_label(rest);
        const size_t length = label.name.size();
        const bool assigned = length < from.size() && from[length] == '=';
        const bool ends_in_comma = rest.empty() && from.ends_with(',');
        if (!assigned || !is_name(label.name) || ends_in_comma || has_label(rest, label.name)) {
            return false;
        }
    }
    return true;
}

}  // namespace hotlane
