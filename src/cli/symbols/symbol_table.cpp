// SPDX-License-Identifier: MIT
//
// Sorts the symbols of a file once, and finds the symbol at an address by binary search.
#include "cli/symbols/symbol_table.h"

#include "cli/text/function_name.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <tuple>

namespace hotlane::cli {

namespace {

bool is_function(const GElf_Sym& symbol, GElf_Word section) {
    const int type = GELF_ST_TYPE(symbol.st_info);
    return section != SHN_UNDEF && section != SHN_ABS && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

/// Returns the number of bytes from the symbol to the end of its section.
uint64_t rest_of_section(Elf* elf, const GElf_Sym& symbol, GElf_Word section) {
    GElf_Shdr header;
    Elf_Scn* scn = elf_getscn(elf, section);
    if (scn == nullptr || gelf_getshdr(scn, &header) == nullptr || symbol.st_value < header.sh_addr ||
        symbol.st_value - header.sh_addr >= header.sh_size) {
        return 0;
    }
    return header.sh_size - (symbol.st_value - header.sh_addr);
}

}  // namespace

SymbolTable::SymbolTable(Dwfl_Module* module) {
    const int count = std::max(dwfl_module_getsymtab(module), 0);
    for (int i = 0; i < count; ++i) {
        GElf_Sym symbol;
        GElf_Addr address = 0;
        GElf_Word section = 0;
        Elf* elf = nullptr;
        const char* name = dwfl_module_getsym_info(module, i, &symbol, &address, &section, &elf, nullptr);
        if (name == nullptr || *name == '\0' || !is_function(symbol, section)) {
            continue;
        }
        const bool sized = symbol.st_size != 0;
        const uint64_t size = sized ? symbol.st_size : rest_of_section(elf, symbol, section);
        symbols_.push_back({address, size, sized, GELF_ST_BIND(symbol.st_info) == STB_LOCAL, name});
    }
    // Of several names of one function the global one without underscores comes last and is used: malloc, not
    // __libc_malloc.
    const auto key = [](const Symbol& symbol) {
        const size_t length = strnlen(symbol.name, kLongestName);
        return std::tuple{symbol.address,
                          symbol.size != 0,
                          !symbol.local,
                          *symbol.name != '_',
                          -static_cast<int64_t>(length),
                          std::string_view{symbol.name, length}};
    };
    std::sort(symbols_.begin(), symbols_.end(),
              [key](const Symbol& a, const Symbol& b) { return key(a) < key(b); });
}

const char* SymbolTable::name_at(uint64_t address) const {
    auto after = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                  [](uint64_t a, const Symbol& symbol) { return a < symbol.address; });
    // A symbol that contains the address may start before others that end in front of it.
    constexpr int kMostSteps = 32;
    for (int step = 0; step < kMostSteps && after != symbols_.begin(); ++step) {
        if ((--after)->holds(address)) {
            return after->name;
        }
    }
    return nullptr;
}

}  // namespace hotlane::cli
