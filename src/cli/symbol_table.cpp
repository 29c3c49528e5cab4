// SPDX-License-Identifier: MIT
//
// Symbols sorted once, and searched by halves.
// Knows nothing of debug information, profiles or processes.
// Called by symbol_file.
#include "cli/symbol_table.h"

#include <algorithm>
#include <tuple>

namespace hotlane::cli {

namespace {

bool is_function(const GElf_Sym& symbol, GElf_Word section) {
    const int type = GELF_ST_TYPE(symbol.st_info);
    return section != SHN_UNDEF && section != SHN_ABS &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

}  // namespace

SymbolTable::SymbolTable(Dwfl_Module* module) {
    const int count = std::max(dwfl_module_getsymtab(module), 0);
    for (int i = 0; i < count; ++i) {
        GElf_Sym symbol;
        GElf_Addr address = 0;
        GElf_Word section = 0;
        const char* name = dwfl_module_getsym_info(module, i, &symbol, &address, &section, nullptr, nullptr);
        if (name != nullptr && *name != '\0' && is_function(symbol, section)) {
            symbols_.push_back({address, symbol.st_size, GELF_ST_BIND(symbol.st_info) == STB_LOCAL, name});
        }
    }
    // Of several names of a function the one that is known outside, and plain: malloc, not __libc_malloc.
    const auto key = [](const Symbol& symbol) {
        return std::tuple{symbol.address,
                          symbol.size != 0,
                          !symbol.local,
                          !symbol.name.starts_with('_'),
                          -static_cast<int64_t>(symbol.name.size()),
                          std::string_view{symbol.name}};
    };
    std::sort(symbols_.begin(), symbols_.end(),
              [key](const Symbol& a, const Symbol& b) { return key(a) < key(b); });
}

std::string SymbolTable::name_at(uint64_t address) const {
    auto after = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                  [](uint64_t a, const Symbol& symbol) { return a < symbol.address; });
    constexpr int kMostSteps =
        32;  // over symbols that end before the address, inside a function that does not
    for (int step = 0; step < kMostSteps && after != symbols_.begin(); ++step) {
        if ((--after)->holds(address)) {
            return after->name;
        }
    }
    return {};
}

}  // namespace hotlane::cli
