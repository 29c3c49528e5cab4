// SPDX-License-Identifier: MIT
//
// Reads the index of an unwind table, .eh_frame_hdr, and the loader's list of what is mapped.
#include "profiler/stack/unwind_index.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <link.h>

namespace hotlane::unwind_index {

namespace {

/// The index (LSB 5, 10.6.2), in the only form that linkers write.
struct Header {
    uint8_t version;
    uint8_t table_pointer_encoding;
    uint8_t count_encoding;
    uint8_t row_encoding;
    int32_t table_pointer;
    uint32_t count;
};
/// Offsets from the header. Rows are sorted by function.
struct Row {
    int32_t function;
    int32_t entry;
};
constexpr uint8_t kUnsigned4 = 0x03;
constexpr uint8_t kSigned4FromHere = 0x1B;
constexpr uint8_t kSigned4FromHeader = 0x3B;

/// An entry has its length, the distance to its CIE, and the function's start and length.
constexpr size_t kFunctionLengthAt = 12;

bool find_object(uintptr_t address, dl_find_object& object) {
    return _dl_find_object(pointer_to(address), &object) == 0;
}

}  // namespace

bool find_module(uintptr_t address, Module& module) {
    dl_find_object object{};
    if (!find_object(address, object) || object.dlfo_link_map == nullptr) {
        return false;
    }
    module = {.path = object.dlfo_link_map->l_name, .bias = object.dlfo_link_map->l_addr};
    return module.path != nullptr;
}

const void* find_entry(const void* pc, void* bases) {
    dl_find_object object{};
    if (!find_object(address_of(pc), object) || object.dlfo_eh_frame == nullptr) {
        return nullptr;
    }
    const uintptr_t start = address_of(object.dlfo_eh_frame);
    const auto& header = *static_cast<const Header*>(object.dlfo_eh_frame);
    if (header.version != 1 || header.table_pointer_encoding != kSigned4FromHere ||
        header.count_encoding != kUnsigned4 || header.row_encoding != kSigned4FromHeader) {
        return nullptr;
    }
    const auto* const rows = static_cast<const Row*>(pointer_to(start + sizeof(Header)));
    const auto wanted = static_cast<int64_t>(address_of(pc) - start);
    const Row* const after = std::upper_bound(rows, rows + header.count, wanted,
                                              [](int64_t at, const Row& row) { return at < row.function; });
    if (after == rows) {
        return nullptr;
    }
    const Row& row = after[-1];
    const uintptr_t function = start + static_cast<uintptr_t>(static_cast<intptr_t>(row.function));
    const uintptr_t entry = start + static_cast<uintptr_t>(static_cast<intptr_t>(row.entry));
    uint32_t length = 0;
    memcpy(&length, pointer_to(entry + kFunctionLengthAt), sizeof length);
    static_cast<const void**>(bases)[2] = pointer_to(function);
    return address_of(pc) - function < length ? pointer_to(entry) : nullptr;
}

}  // namespace hotlane::unwind_index
