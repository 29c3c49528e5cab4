// SPDX-License-Identifier: MIT
//
// One compile unit's debug information, and an index of its functions by address.
// Knows nothing of files, profiles or processes.
// Called by symbol_file.
#pragma once

#include "cli/symbols/symbol_file.h"

#include <elfutils/libdw.h>
#include <string>
#include <vector>

namespace hotlane::cli {

struct AddressRange {
    Dwarf_Addr low = 0;
    Dwarf_Addr high = 0;
    Dwarf_Die die{};
    bool holds(Dwarf_Addr address) const { return low <= address && address < high; }
};

/// Appends each range of the entry.
void append_ranges(Dwarf_Die die, std::vector<AddressRange>& ranges);
void sort_ranges(std::vector<AddressRange>& ranges);
/// The last to begin that holds the address; null when none does.
const AddressRange* find_range(const std::vector<AddressRange>& ranges, Dwarf_Addr address);

class CompileUnit {
  public:
    explicit CompileUnit(Dwarf_Die die);

    /// Innermost first. At least one frame; the function of the last is empty where the unit does not know
    /// it.
    std::vector<SourceFrame> frames_at(Dwarf_Addr address);

  private:
    void index_functions(Dwarf_Die parent);
    std::string file_name(Dwarf_Word index);
    void take_place_of_call(Dwarf_Die inlined, SourceFrame& caller);

    Dwarf_Die die_;      // has the lines
    Dwarf_Die details_;  // has the functions: of another file with -gsplit-dwarf
    bool indexed_ = false;
    std::vector<AddressRange> functions_;
};

}  // namespace hotlane::cli
