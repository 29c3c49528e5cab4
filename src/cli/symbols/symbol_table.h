// SPDX-License-Identifier: MIT
//
// The functions of an ELF file's symbol tables, by address.
// Knows nothing of debug information, profiles or processes.
// Called by symbol_file.
#pragma once

#include <cstdint>
#include <elfutils/libdwfl.h>
#include <vector>

namespace hotlane::cli {

/// libdw's own search goes through all symbols for each address.
class SymbolTable {
  public:
    /// Reads what the module has, of separate debug files too.
    explicit SymbolTable(Dwfl_Module* module);

    /// As it stands in the file, which must stay open; null when no function is there.
    const char* name_at(uint64_t address) const;

  private:
    struct Symbol {
        uint64_t address;
        uint64_t size;  // up to the end of its section where it is not said
        bool sized;     // it is said
        bool local;
        const char* name;  // in the file: many symbols may have parts of one long text
        bool holds(uint64_t place) const { return place >= address && place - address < size; }
    };

    std::vector<Symbol> symbols_;  // by address; of those at one address, the name to be said last
};

}  // namespace hotlane::cli
