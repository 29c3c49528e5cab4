// SPDX-License-Identifier: MIT
//
// Opens an ELF file with libdw, finds its debug information as debuggers do, and finds compile units by
// address.
#include "cli/symbols/symbol_file.h"

#include "cli/symbols/compile_unit.h"
#include "cli/symbols/demangler.h"
#include "cli/symbols/symbol_table.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

struct Segment {
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t address = 0;
};

int find_no_elf(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) { return -1; }

/// Returns the build-id of the main file of a module.
std::string build_id_of(Dwfl_Module* module) {
    const unsigned char* bits = nullptr;
    GElf_Addr address = 0;
    const int length = dwfl_module_build_id(module, &bits, &address);
    std::string text;
    for (int i = 0; i < length; ++i) {
        constexpr char kDigits[] = "0123456789abcdef";
        text += kDigits[bits[i] >> 4U];
        text += kDigits[bits[i] & 15U];
    }
    return text;
}

/// Opens a regular file. Returns -1 for anything else, because opening a pipe would block.
int open_regular(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status {};
    if (descriptor >= 0 && (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

}  // namespace

struct SymbolFile::Parts {
    std::string debug_path;
    char* debug_path_text;  // the callbacks point to it
    Dwfl_Callbacks callbacks;
    Dwfl* dwfl = nullptr;
    Dwfl_Module* module = nullptr;
    std::string build_id;
    bool fixed = false;
    std::vector<Segment> segments;
    bool indexed = false;
    Dwarf_Addr dwarf_bias = 0;
    std::vector<AddressRange> unit_ranges;
    std::map<Dwarf_Off, CompileUnit> units;  // those used so far
    std::optional<SymbolTable> symbols;      // read on first use

    explicit Parts(std::string path)
        : debug_path{std::move(path)},
          debug_path_text{debug_path.data()}, callbacks{.find_elf = find_no_elf,
                                                        .find_debuginfo = dwfl_standard_find_debuginfo,
                                                        .section_address = nullptr,
                                                        .debuginfo_path = &debug_path_text},
          dwfl{dwfl_begin(&callbacks)} {}
    ~Parts() { dwfl_end(dwfl); }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    bool read_segments() {
        GElf_Addr bias = 0;
        Elf* elf = dwfl_module_getelf(module, &bias);
        size_t count = 0;
        GElf_Ehdr file;
        if (elf == nullptr || elf_getphdrnum(elf, &count) != 0 || gelf_getehdr(elf, &file) == nullptr) {
            return false;
        }
        fixed = file.e_type == ET_EXEC;
        for (size_t i = 0; i < count; ++i) {
            GElf_Phdr header;
            if (gelf_getphdr(elf, static_cast<int>(i), &header) != nullptr && header.p_type == PT_LOAD) {
                segments.push_back({header.p_offset, header.p_filesz, header.p_vaddr + bias});
            }
        }
        return true;
    }

    void index_units() {
        indexed = true;
        for (Dwarf_Die* unit = nullptr; (unit = dwfl_module_nextcu(module, unit, &dwarf_bias)) != nullptr;) {
            append_ranges(*unit, unit_ranges);
        }
        sort_ranges(unit_ranges);
    }

    CompileUnit* unit_at(Dwarf_Addr address) {
        if (!indexed) {
            index_units();
        }
        const AddressRange* range = find_range(unit_ranges, address - dwarf_bias);
        if (range == nullptr) {
            return nullptr;
        }
        Dwarf_Die die = range->die;
        return &units.try_emplace(dwarf_dieoffset(&die), die).first->second;
    }

    std::string symbol_at(GElf_Addr address) {
        if (!symbols) {
            symbols.emplace(module);
        }
        const char* name = symbols->name_at(address);
        return name == nullptr ? "" : demangled(name);
    }
};

SymbolFile::SymbolFile(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}
SymbolFile::~SymbolFile() = default;

const std::string& SymbolFile::build_id() const { return parts_->build_id; }
bool SymbolFile::is_at_fixed_addresses() const { return parts_->fixed; }

std::unique_ptr<SymbolFile> SymbolFile::open(const std::string& path, const std::string& debug_path) {
    const int descriptor = open_regular(path);
    if (descriptor < 0) {
        return nullptr;
    }
    auto parts = std::make_unique<Parts>(debug_path);
    // Addresses stay those of the file. libdw owns the descriptor if this succeeds.
    parts->module = dwfl_report_elf(parts->dwfl, path.c_str(), path.c_str(), descriptor, 0, true);
    if (parts->module == nullptr) {
        close(descriptor);
        return nullptr;
    }
    dwfl_report_end(parts->dwfl, nullptr, nullptr);
    if (!parts->read_segments()) {
        return nullptr;
    }
    parts->build_id = build_id_of(parts->module);
    return std::unique_ptr<SymbolFile>{new SymbolFile{std::move(parts)}};
}

std::optional<uint64_t> SymbolFile::address_of(uint64_t file_offset) const {
    for (const Segment& segment : parts_->segments) {
        if (file_offset >= segment.offset && file_offset - segment.offset < segment.size) {
            return file_offset - segment.offset + segment.address;
        }
    }
    return {};
}

std::vector<SourceFrame> SymbolFile::frames_at(uint64_t address) {
    std::vector<SourceFrame> frames;
    if (CompileUnit* unit = parts_->unit_at(address)) {
        frames = unit->frames_at(address - parts_->dwarf_bias);
    }
    if (frames.empty()) {
        frames.emplace_back();
    }
    if (frames.back().function.empty()) {
        frames.back().function = parts_->symbol_at(address);
    }
    if (frames.back().function.empty()) {
        frames.pop_back();
    }
    return frames;
}

}  // namespace hotlane::cli
