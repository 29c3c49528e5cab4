// SPDX-License-Identifier: MIT
//
// Which file an address of code belongs to, by the loader's list.
// Knows nothing of how stacks are taken.
// Called through stack_text.h.
#include "observe/stack_text.h"

#include "base/os.h"

#include <algorithm>
#include <link.h>

namespace hotlane {

namespace {

struct Place {
    uintptr_t address;
    const char* file;  // null: of none that is loaded
    uintptr_t offset;
};

int look_into(dl_phdr_info* info, size_t, void* context) {
    auto& place = *static_cast<Place*>(context);
    const uintptr_t offset = place.address - info->dlpi_addr;
    for (size_t i = 0; i < info->dlpi_phnum; ++i) {
        const auto& segment = info->dlpi_phdr[i];
        if (segment.p_type == PT_LOAD && offset - segment.p_vaddr < segment.p_memsz) {
            place.file = info->dlpi_name;
            place.offset = offset;
            return 1;
        }
    }
    return 0;
}

/// What is behind the last slash. A terminal is sent nothing but what can be printed.
void write_base_name(Writer& out, std::string_view path) {
    constexpr size_t kLongest = 64;
    const size_t slash = path.rfind('/');
    path.remove_prefix(slash == path.npos ? 0 : slash + 1);
    for (const char c : std::string_view{path.data(), std::min(path.size(), kLongest)}) {
        out.text({c < ' ' || c > '~' ? "?" : &c, 1});
    }
}

}  // namespace

void write_stack(Writer& out, const uintptr_t* frames, size_t depth) {
    for (size_t i = 0; i < depth; ++i) {
        Place place{.address = frames[i] - 1, .file = nullptr, .offset = 0};
        dl_iterate_phdr(look_into, &place);
        out.text("hotlane:     #").number(i).text(" ");
        if (place.file == nullptr) {
            out.hex(place.address).text("\n");
            continue;
        }
        char program[64];
        os::program_name(program, sizeof program);
        write_base_name(out, place.file[0] != '\0' ? place.file : program);
        out.text("+").hex(place.offset).text("\n");
    }
}

}  // namespace hotlane
