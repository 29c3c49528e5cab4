// SPDX-License-Identifier: MIT
//
// The functions in an ELF file's symbol tables, by address.
#pragma once

#include <cstdint>
#include <elfutils/libdwfl.h>
#include <vector>

namespace hotlane::cli {

/// Replaces libdw's own search, which visits all symbols for each address.
class SymbolTable {
  public:
    /// Reads the symbols of the module, including those of separate debug files.
    explicit SymbolTable(Dwfl_Module* module);

    /// Returns the name of the function at the address as it is in the file, or null when there is none.
    /// Valid while the module is open. O(log n).
    const char* name_at(uint64_t address) const;

  private:
    struct Symbol {
        uint64_t address;
        uint64_t size;  // up to the end of its section if the file gives none
        bool sized;     // the file gives the size
        bool local;
        const char* name;  // points into the file, because many symbols may share one long text
        bool holds(uint64_t place) const { return place >= address && place - address < size; }
    };

    std::vector<Symbol> symbols_;  // by address; the preferred name of an address is the last
};

}  // namespace hotlane::cli
