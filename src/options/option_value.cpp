// SPDX-License-Identifier: MIT
//
// Sets and prints the value of an option according to its type.
#include "options/config.h"

#include "options/labels.h"
#include "options/signal_name.h"
#include "text/units.h"

#include <cstring>
#include <iterator>

namespace hotlane {

namespace {

using enum OptionType;

template <class T>
T& value_of(Config& config, const Option& option) {
    return *reinterpret_cast<T*>(reinterpret_cast<char*>(&config) + option.offset);
}
template <class T>
const T& value_of(const Config& config, const Option& option) {
    return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(&config) + option.offset);
}

/// Returns the text before the next separator and removes both from `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
    size_t end = 0;
    while (end < rest.size() && rest[end] != separator) {
        ++end;
    }
    const std::string_view part{rest.data(), end};
    rest.remove_prefix(end == rest.size() ? end : end + 1);
    return part;
}

/// 0 switches an option off. Options with a least value of 1 cannot be off.
bool in_range(const Option& option, uint64_t n) {
    return n == 0 ? option.least != 1 : n >= option.least && n <= option.most;
}

HOTLANE_IN_EVERY_PROCESS bool set_choice(uint8_t& chosen, const Option& option, std::string_view value) {
    std::string_view names{option.values};
    for (uint8_t place = 0; !names.empty(); ++place) {
        if (take_until(names, '|') == value) {
            chosen = place;
            return true;
        }
    }
    return false;
}

bool set_flag(bool& on, std::string_view value) {
    if (value != "0" && value != "1") {
        return false;
    }
    on = value == "1";
    return true;
}

bool set_path(char* path, std::string_view value) {
    if (value.size() >= Config::kPathCapacity) {
        return false;
    }
    memcpy(path, value.data(), value.size());
    path[value.size()] = '\0';
    return true;
}

bool set_labels(char* labels, std::string_view value) {
    if (value.size() >= Config::kLabelsCapacity || !labels_are_valid(value)) {
        return false;
    }
    memcpy(labels, value.data(), value.size());
    labels[value.size()] = '\0';
    return true;
}

bool set_warmup(Config& config, const Option& option, std::string_view value) {
    WarmupEntry entries[Config::kWarmupCapacity] = {};
    size_t count = 0;
    while (!value.empty()) {
        std::string_view objects = take_until(value, ',');
        const std::string_view size = take_until(objects, ':');
        uint64_t bytes = 0;
        uint64_t ready = 0;
        if (count == Config::kWarmupCapacity || !parse_size(size, bytes) || bytes == 0 ||
            bytes > kLargestSmall || !parse_count(objects, ready) || ready < option.least ||
            ready > option.most) {
            return false;
        }
        entries[count++] = {.size = bytes, .count = static_cast<uint32_t>(ready)};
    }
    memcpy(config.warmup, entries, sizeof entries);
    config.warmup_count = count;
    return true;
}

/// Whether a size class may have this size and follow one of `before` bytes. Above 1 KiB, where a class is
/// found in steps of 64 bytes, other sizes would round up to such a step.
bool is_class_size(uint64_t bytes, uint64_t before) {
    return bytes > before && bytes <= kLargestSmall && bytes % (bytes <= KiB ? 16 : 64) == 0;
}

/// Sets the table from "64,128,…". Adds the largest class if it is missing.
bool set_classes(ClassTable& table, const Option& option, std::string_view value) {
    uint8_t choice = 0;
    if (set_choice(choice, option, value) && choice < static_cast<uint8_t>(ClassChoice::listed)) {
        table = ClassTable{};
        table.choice = static_cast<ClassChoice>(choice);
        return true;
    }
    ClassTable listed;
    listed.choice = ClassChoice::listed;
    uint64_t before = 0;
    const auto add = [&listed, &before](uint64_t bytes) {
        if (listed.count == kMaxClasses - 1 || !is_class_size(bytes, before)) {
            return false;
        }
        listed.sizes[listed.count++] = static_cast<uint32_t>(bytes);
        before = bytes;
        return true;
    };
    while (!value.empty()) {
        uint64_t bytes = 0;
        if (!parse_size(take_until(value, ','), bytes) || !add(bytes)) {
            return false;
        }
    }
    if (before == 0 || (before != kLargestSmall && !add(kLargestSmall))) {
        return false;
    }
    table = listed;
    return true;
}

/// Sets the limits from "auto" or "256K", which further limits of single classes may follow: "256K,64=32K,…".
bool set_cache_limits(CacheLimits& limits, const Option& option, std::string_view value) {
    CacheLimits chosen;
    const std::string_view first = take_until(value, ',');
    uint64_t bytes = 0;
    chosen.automatic = first == "auto";
    if (!chosen.automatic) {
        if (!parse_size(first, bytes) || !in_range(option, bytes)) {
            return false;
        }
        chosen.bytes = bytes;
    }
    while (!value.empty()) {
        std::string_view limit = take_until(value, ',');
        uint64_t size = 0;
        if (chosen.count == std::size(chosen.of_class) || !parse_size(take_until(limit, '='), size) ||
            size == 0 || size > kLargestSmall || !parse_size(limit, bytes) || !in_range(option, bytes)) {
            return false;
        }
        chosen.of_class[chosen.count++] = {static_cast<uint32_t>(size), static_cast<uint32_t>(bytes)};
    }
    limits = chosen;
    return true;
}

}  // namespace

HOTLANE_IN_EVERY_PROCESS bool set_option(Config& config, const Option& option, std::string_view value) {
    uint64_t n = 0;
    double rate = 0;
    switch (option.type) {
    case choice:
        return set_choice(value_of<uint8_t>(config, option), option, value);
    case flag:
        return set_flag(value_of<bool>(config, option), value);
    case path:
        return set_path(&value_of<char>(config, option), value);
    case labels:
        return set_labels(&value_of<char>(config, option), value);
    case warmup:
        return set_warmup(config, option, value);
    case cache_limits:
        return set_cache_limits(value_of<CacheLimits>(config, option), option, value);
    case classes:
        return set_classes(value_of<ClassTable>(config, option), option, value);
    case signal: {
        const int number = parse_signal(value);
        value_of<uint8_t>(config, option) =
            number < 0 ? value_of<uint8_t>(config, option) : static_cast<uint8_t>(number);
        return number >= 0;
    }
    case percent:
        if (!parse_percent(value, rate) || rate > static_cast<double>(option.most)) {
            return false;
        }
        value_of<double>(config, option) = rate;
        return true;
    case count:
        if (!parse_count(value, n) || !in_range(option, n)) {
            return false;
        }
        value_of<uint64_t>(config, option) = n;
        return true;
    case size:
    case duration:
        if (!(option.type == size ? parse_size(value, n) : parse_duration(value, n)) ||
            !in_range(option, n)) {
            return false;
        }
        value_of<uint64_t>(config, option) = n;
        return true;
    }
    return false;
}

void print_expected(Writer& out, const Option& option) {
    std::string_view names{option.values};
    switch (option.type) {
    case choice:
    case flag:
        while (!names.empty()) {
            out.text(take_until(names, '|'))
                .text(names.empty()                   ? ""
                      : names.find('|') == names.npos ? " or "
                                                      : ", ");
        }
        return;
    case path:
        out.text("a path shorter than ").number(Config::kPathCapacity).text(" bytes");
        return;
    case labels:
        out.text("NAME=VALUE,... like service=web,zone=b, names of letters, digits and _, none of");
        for (const char* taken : kOwnLabels) {
            out.text(" ").text(taken);
        }
        return;
    case classes:
        out.text("cacheline, compact, auto, or at most ").number(kMaxClasses - 1);
        out.text(" ascending sizes up to 64K: multiples of 16, above 1K of 64");
        return;
    case cache_limits:
        out.text("auto, or a size like 64K, up to ");
        write_size(out, option.most);
        out.text("; then limits of classes like ,64=32K, at most ").number(kMaxClasses - 1);
        return;
    case warmup:
        out.text("SIZE:COUNT,... like 64:1000,4096:16, at most ").number(Config::kWarmupCapacity);
        out.text(" sizes up to 64K");
        return;
    case signal:
        out.text("off, USR1, USR2, HUP, PROF, URG, or a real-time signal: RTMIN+3 or its number");
        return;
    case percent:
        out.text("a percentage from ").number(option.least).text(" to ").number(option.most);
        return;
    case count:
        out.text("a number from ").number(option.least).text(" to ").number(option.most);
        return;
    case size:
    case duration:
        const auto write = option.type == size ? write_size : write_duration;
        out.text(option.type == size ? "a size like 64K or 1.5G" : "a time like 500ms or 10s");
        out.text(option.least > 1 ? ", 0 or from " : ", from ");
        write(out, option.least);
        out.text(" to ");
        write(out, option.most);
        return;
    }
}

namespace {

void print_choice(Writer& out, const Option& option, uint8_t chosen) {
    std::string_view names{option.values};
    for (; chosen != 0; --chosen) {
        take_until(names, '|');
    }
    out.text(take_until(names, '|'));
}

void print_classes(Writer& out, const Option& option, const ClassTable& table) {
    if (table.choice != ClassChoice::listed) {
        print_choice(out, option, static_cast<uint8_t>(table.choice));
        return;
    }
    for (uint8_t i = 0; i < table.count; ++i) {
        out.text(i == 0 ? "" : ",").number(table.sizes[i]);
    }
}

void print_cache_limits(Writer& out, const CacheLimits& limits) {
    if (limits.automatic) {
        out.text("auto");
    } else {
        write_size(out, limits.bytes);
    }
    for (uint8_t i = 0; i < limits.count; ++i) {
        out.text(",").number(limits.of_class[i].size).text("=");
        write_size(out, limits.of_class[i].bytes);
    }
}

}  // namespace

void print_value(Writer& out, const Option& option, const Config& config) {
    switch (option.type) {
    case choice:
        print_choice(out, option, value_of<uint8_t>(config, option));
        return;
    case flag:
        out.text(value_of<bool>(config, option) ? "1" : "0");
        return;
    case path:
    case labels:
        out.text(&value_of<char>(config, option));
        return;
    case percent: {
        const double rate = value_of<double>(config, option);
        out.fixed(rate, rate == static_cast<double>(static_cast<uint64_t>(rate)) ? 0 : 2).text("%");
        return;
    }
    case signal:
        write_signal(out, value_of<uint8_t>(config, option));
        return;
    case classes:
        print_classes(out, option, value_of<ClassTable>(config, option));
        return;
    case cache_limits:
        print_cache_limits(out, value_of<CacheLimits>(config, option));
        return;
    case warmup:
        for (size_t i = 0; i < config.warmup_count; ++i) {
            out.text(i == 0 ? "" : ",");
            write_size(out, config.warmup[i].size);
            out.text(":").number(config.warmup[i].count);
        }
        return;
    case count:
        out.number(value_of<uint64_t>(config, option));
        return;
    case size:
        write_size(out, value_of<uint64_t>(config, option));
        return;
    case duration:
        write_duration(out, value_of<uint64_t>(config, option));
        return;
    }
}

}  // namespace hotlane
