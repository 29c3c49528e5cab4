// SPDX-License-Identifier: MIT
//
// The debug information of one compile unit, with an index of its functions by address.
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

/// Appends every address range of the entry.
void append_ranges(Dwarf_Die die, std::vector<AddressRange>& ranges);
void sort_ranges(std::vector<AddressRange>& ranges);
/// Returns the range with the highest start that contains the address, or null when there is none. `ranges`
/// must be sorted.
const AddressRange* find_range(const std::vector<AddressRange>& ranges, Dwarf_Addr address);

class CompileUnit {
  public:
    explicit CompileUnit(Dwarf_Die die);

    /// Returns the frames at the address, innermost first, at least one. The function of the last frame is
    /// empty when the unit does not describe it.
    std::vector<SourceFrame> frames_at(Dwarf_Addr address);

  private:
    void index_functions(Dwarf_Die parent);
    std::string file_name(Dwarf_Word index);
    void take_place_of_call(Dwarf_Die inlined, SourceFrame& caller);

    Dwarf_Die die_;      // contains the lines
    Dwarf_Die details_;  // contains the functions; in another file with -gsplit-dwarf
    bool indexed_ = false;
    std::vector<AddressRange> functions_;
};

}  // namespace hotlane::cli
