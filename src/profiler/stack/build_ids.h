// SPDX-License-Identifier: MIT
//
// The build-ids of the program and its libraries, by which their debug information is found anywhere.
#pragma once

#include "profiler/stack/mappings.h"

#include <string_view>

namespace hotlane::inspect {

struct BuildId {
    static constexpr size_t kLongest = 64;

    uintptr_t mapping = 0;  // where the start of the file is mapped
    size_t length = 0;
    unsigned char bytes[kLongest] = {};
};

/// Finds the build-id of an ELF file if `start` maps the file's start and the note lies in that mapping. Reads memory
/// that may be unmapped meanwhile, without a fault.
[[nodiscard]] bool find_build_id(const Mapping& start, BuildId& id);

/// Writes the build-id as hexadecimal digits.
struct BuildIdText {
    explicit BuildIdText(const BuildId& id) : length{2 * id.length} {
        constexpr char kDigits[] = "0123456789abcdef";
        for (size_t i = 0; i < id.length; ++i) {
            digits[2 * i] = kDigits[id.bytes[i] >> 4];
            digits[2 * i + 1] = kDigits[id.bytes[i] & 15];
        }
    }
    std::string_view view() const { return {digits, length}; }

    char digits[2 * BuildId::kLongest];
    size_t length;
};

}  // namespace hotlane::inspect
