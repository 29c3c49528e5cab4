// SPDX-License-Identifier: MIT
//
// Fuzzes the symboliser with any bytes as an ELF file, from which it reads functions, inlined calls and lines
// of addresses, and with any text as a mangled name.
#include "cli/symbols/demangler.h"
#include "cli/symbols/symbol_file.h"
#include "cli/text/function_name.h"
#include "cli/text/shown_text.h"
#include "input.h"

#include <string>
#include <sys/mman.h>
#include <unistd.h>

using namespace hotlane::cli;
using hotlane::fuzz::require;

namespace {

void look_up(SymbolFile& file, uint64_t address) {
    for (const SourceFrame& frame : file.frames_at(address)) {
        const std::string name = bounded_name(shown_text(frame.function));
        require(name.size() <= kLongestName && shown_text(name) == name, "a bounded name");
        require(frame.line >= 0, "a line");
    }
}

void read_elf(std::string_view bytes) {
    const int descriptor = memfd_create("elf", MFD_CLOEXEC);
    require(descriptor >= 0 &&
                write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
            "a file in memory");
    if (const auto file = SymbolFile::open("/proc/self/fd/" + std::to_string(descriptor))) {
        constexpr uint64_t kStep = 7;
        for (uint64_t address = 0; address < 256; address += kStep) {
            look_up(*file, address);
            look_up(*file, 0x1000 + address);
            look_up(*file, 0x401000 + address);
            (void)file->address_of(address);
        }
        look_up(*file, UINT64_MAX);
    }
    close(descriptor);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (bytes.starts_with("\x7f"
                          "ELF")) {
        read_elf(bytes);
    } else {
        const std::string name{bytes};
        const std::string readable = bounded_name(shown_text(demangled(name.c_str())));
        require(readable.size() <= kLongestName && shown_text(readable) == readable, "a bounded name");
        (void)is_allocator(readable, "");
        (void)is_standard(readable);
    }
    return 0;
}
