// SPDX-License-Identifier: MIT
//
// Translates the names of types.
#include "cli/pools/yaml/field_type.h"

#include "text/units.h"

namespace hotlane::cli {

namespace {

struct FixedType {
    std::string_view name;
    uint64_t bytes;
};

constexpr FixedType kFixedTypes[] = {{"bool", 1}, {"u8", 1},   {"i8", 1},      {"u16", 2}, {"i16", 2},
                                     {"u32", 4},  {"i32", 4},  {"u64", 8},     {"i64", 8}, {"f32", 4},
                                     {"f64", 8},  {"enum", 4}, {"address", 20}};

/// Returns the bytes of uint8, int256 or bytes32, or 0 for another name.
uint64_t numbered_type_bytes(std::string_view name) {
    const size_t digits = name.find_first_of("0123456789");
    if (digits == name.npos || name[digits] == '0') {
        return 0;
    }
    const std::string_view stem = name.substr(0, digits);
    uint64_t number = 0;
    if (!parse_count(name.substr(digits), number)) {
        return 0;
    }
    if (stem == "bytes") {
        return number <= kMostBytes ? number : 0;
    }
    constexpr uint64_t kWidest = 256;
    return (stem == "uint" || stem == "int") && number % 8 == 0 && number <= kWidest ? number / 8 : 0;
}

uint64_t fixed_bytes(std::string_view name) {
    for (const FixedType& type : kFixedTypes) {
        if (name == type.name) {
            return type.bytes;
        }
    }
    return numbered_type_bytes(name);
}

bool is_variable(std::string_view name) { return name == "string" || name == "bytes"; }

/// Removes "list<>", "[]" or "[N]" from the type. Returns what is wrong, or an empty text.
std::string take_list(Field& field, std::string_view& type) {
    constexpr std::string_view kList = "list<";
    if (type.starts_with(kList) && type.ends_with(">")) {
        type = type.substr(kList.size(), type.size() - kList.size() - 1);
        field.is_list = true;
        return "";
    }
    const size_t bracket = type.find('[');
    if (bracket == type.npos || !type.ends_with("]")) {
        return "";
    }
    const std::string_view count = type.substr(bracket + 1, type.size() - bracket - 2);
    type = type.substr(0, bracket);
    if (count.empty()) {
        field.is_list = true;
        return "";
    }
    uint64_t items = 0;
    if (!parse_count(count, items) || items == 0 || items > kMostBytes) {
        return quoted(count) + " is not the length of an array; a list of lists needs a message between them";
    }
    field.is_array = true;
    field.max_items = items;
    return "";
}

}  // namespace

std::string set_type(Field& field, std::string_view type) {
    if (std::string wrong = take_list(field, type); !wrong.empty()) {
        return wrong;
    }
    if (const uint64_t bytes = fixed_bytes(type); bytes > 0) {
        field.kind = FieldKind::fixed;
        field.item_bytes = bytes;
    } else if (is_variable(type)) {
        field.kind = FieldKind::variable;
        field.is_string = type == "string";
    } else {
        field.kind = FieldKind::message;
        field.type = type;
    }
    return "";
}

bool is_builtin_type(std::string_view name) { return is_variable(name) || fixed_bytes(name) > 0; }

const std::vector<std::string_view>& builtin_types() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all{"uint8",  "uint64",  "uint128", "uint256",
                                          "int256", "bytes32", "string",  "bytes"};
        for (const FixedType& type : kFixedTypes) {
            all.push_back(type.name);
        }
        return all;
    }();
    return names;
}

}  // namespace hotlane::cli
