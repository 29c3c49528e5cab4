// SPDX-License-Identifier: MIT
//
// Finds the function at an address in one compile unit, and the chain of calls inlined there.
#include "cli/symbols/compile_unit.h"

#include "cli/symbols/demangler.h"
#include "cli/text/function_name.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dwarf.h>
#include <optional>

namespace hotlane::cli {

namespace {

/// Calls `visit` with each child until it returns true.
template <typename Visit>
void visit_children(Dwarf_Die parent, Visit visit) {
    Dwarf_Die child;
    bool more = dwarf_child(&parent, &child) == 0;
    while (more && !visit(child)) {
        more = dwarf_siblingof(&child, &child) == 0;
    }
}

const char* text_of(Dwarf_Die die, unsigned attribute) {
    Dwarf_Attribute found;
    return dwarf_formstring(dwarf_attr_integrate(&die, attribute, &found));
}

Dwarf_Word number_of(Dwarf_Die die, unsigned attribute) {
    Dwarf_Attribute found;
    Dwarf_Word number = 0;
    return dwarf_formudata(dwarf_attr(&die, attribute, &found), &number) == 0 ? number : 0;
}

/// Returns the declaration of the function, which is inside its class or namespace.
Dwarf_Die declaration_of(Dwarf_Die die) {
    constexpr int kMostSteps = 8;  // damaged files may contain cycles
    for (int step = 0; step < kMostSteps; ++step) {
        Dwarf_Attribute found;
        Dwarf_Attribute* attribute = dwarf_attr(&die, DW_AT_abstract_origin, &found);
        attribute = attribute != nullptr ? attribute : dwarf_attr(&die, DW_AT_specification, &found);
        Dwarf_Die next;
        if (attribute == nullptr || dwarf_formref_die(attribute, &next) == nullptr) {
            break;
        }
        die = next;
    }
    return die;
}

/// Returns "ns::Class::name". Used for functions of internal linkage, which have no mangled name. C functions
/// have no enclosing scope.
std::string qualified_name(Dwarf_Die die) {
    const char* own = dwarf_diename(&die);
    std::string name{own == nullptr ? "" : own, own == nullptr ? 0 : strnlen(own, kLongestName)};
    Dwarf_Die declaration = declaration_of(die);
    Dwarf_Die* scopes = nullptr;
    const int count = dwarf_getscopes_die(&declaration, &scopes);
    for (int i = 1; i < count - 1 && !name.empty() && name.size() < kLongestName; ++i) {
        const int tag = dwarf_tag(&scopes[i]);
        const char* scope = dwarf_diename(&scopes[i]);
        if (tag != DW_TAG_lexical_block) {
            name.insert(0, "::");
            scope = scope != nullptr          ? scope
                    : tag == DW_TAG_namespace ? "(anonymous namespace)"
                                              : "{unnamed}";
            name.insert(0, scope, strnlen(scope, kLongestName));
        }
    }
    free(scopes);
    return name;
}

std::string name_of(Dwarf_Die die) {
    for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
        if (const char* mangled = text_of(die, attribute)) {
            return demangled(mangled);
        }
    }
    return qualified_name(die);
}

/// Returns the block or inlined call in `parent` that contains the address.
std::optional<Dwarf_Die> part_at(Dwarf_Die parent, Dwarf_Addr address) {
    std::optional<Dwarf_Die> found;
    visit_children(parent, [&](Dwarf_Die child) {
        const int tag = dwarf_tag(&child);
        const bool part = tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
                          tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
        if (part && dwarf_haspc(&child, address) > 0) {
            found = child;
        }
        return found.has_value();
    });
    return found;
}

/// Returns the calls that were inlined into each other at the address, outermost first.
std::vector<Dwarf_Die> inlined_at(Dwarf_Die function, Dwarf_Addr address) {
    constexpr int kDeepest = 1000;  // damaged files may contain cycles
    std::vector<Dwarf_Die> calls;
    std::optional<Dwarf_Die> part = part_at(function, address);
    for (int depth = 0; part && depth < kDeepest; ++depth) {
        if (dwarf_tag(&*part) == DW_TAG_inlined_subroutine) {
            calls.push_back(*part);
        }
        part = part_at(*part, address);
    }
    return calls;
}

}  // namespace

void append_ranges(Dwarf_Die die, std::vector<AddressRange>& ranges) {
    Dwarf_Addr base = 0;
    AddressRange range{0, 0, die};
    for (ptrdiff_t offset = 0; (offset = dwarf_ranges(&die, offset, &base, &range.low, &range.high)) > 0;) {
        if (range.low != 0) {  // the linker gives discarded functions the address 0
            ranges.push_back(range);
        }
    }
}

void sort_ranges(std::vector<AddressRange>& ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const AddressRange& a, const AddressRange& b) { return a.low < b.low; });
}

const AddressRange* find_range(const std::vector<AddressRange>& ranges, Dwarf_Addr address) {
    auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                  [](Dwarf_Addr a, const AddressRange& range) { return a < range.low; });
    while (after != ranges.begin()) {
        if ((--after)->holds(address)) {
            return &*after;
        }
    }
    return nullptr;
}

CompileUnit::CompileUnit(Dwarf_Die die) : die_{die}, details_{die} {
    uint8_t type = 0;
    Dwarf_Die split;
    if (dwarf_cu_info(die.cu, nullptr, &type, nullptr, &split, nullptr, nullptr, nullptr) == 0 &&
        type == DW_UT_skeleton && split.addr != nullptr) {
        details_ = split;
    }
}

void CompileUnit::index_functions(Dwarf_Die parent) {
    visit_children(parent, [this](Dwarf_Die child) {
        switch (dwarf_tag(&child)) {
        case DW_TAG_subprogram:
            append_ranges(child, functions_);
            break;
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
            index_functions(child);
            break;
        default:
            break;
        }
        return false;
    });
}

std::string CompileUnit::file_name(Dwarf_Word index) {
    Dwarf_Files* files = nullptr;
    size_t count = 0;
    if (dwarf_getsrcfiles(&details_, &files, &count) != 0 || index >= count) {
        return {};
    }
    const char* name = dwarf_filesrc(files, index, nullptr, nullptr);
    return name == nullptr ? "" : name;
}

void CompileUnit::take_place_of_call(Dwarf_Die inlined, SourceFrame& caller) {
    caller.file = file_name(number_of(inlined, DW_AT_call_file));
    caller.line = static_cast<int64_t>(number_of(inlined, DW_AT_call_line));
}

std::vector<SourceFrame> CompileUnit::frames_at(Dwarf_Addr address) {
    if (!indexed_) {
        indexed_ = true;
        index_functions(details_);
        sort_ranges(functions_);
    }
    SourceFrame place;
    if (Dwarf_Line* line = dwarf_getsrc_die(&die_, address)) {
        const char* file = dwarf_linesrc(line, nullptr, nullptr);
        int number = 0;
        dwarf_lineno(line, &number);
        place.file = file == nullptr ? "" : file;
        place.line = number;
    }
    std::vector<SourceFrame> frames;
    const AddressRange* function = find_range(functions_, address);
    if (function != nullptr) {
        std::vector<Dwarf_Die> calls = inlined_at(function->die, address);
        for (; !calls.empty(); calls.pop_back()) {
            place.function = name_of(calls.back());
            place.inlined = true;
            frames.push_back(place);
            take_place_of_call(calls.back(), place);
        }
        place.function = name_of(function->die);
        place.inlined = false;
    }
    frames.push_back(place);
    return frames;
}

}  // namespace hotlane::cli
