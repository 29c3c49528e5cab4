// SPDX-License-Identifier: MIT
//
// An ELF file and its debug information: the functions, inlined ones too, at an address.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

struct SourceFrame {
    std::string function;  // demangled
    std::string file;      // empty: unknown
    int64_t line = 0;      // 0: unknown
    bool inlined = false;  // into the next frame
};

/// All addresses are those of the file, as nm and addr2line show them, not those of a process. Not
/// thread-safe.
class SymbolFile {
  public:
    /// Returns null when the file cannot be opened or is not an ELF file. Separate debug information is looked
    /// for in `debug_path` (SymbolPlaces::debug_path()).
    static std::unique_ptr<SymbolFile> open(const std::string& path,
                                            const std::string& debug_path = ":.debug:/usr/lib/debug");
    ~SymbolFile();
    SymbolFile(const SymbolFile&) = delete;
    SymbolFile& operator=(const SymbolFile&) = delete;

    /// The hexadecimal build-id; empty when the file has none.
    const std::string& build_id() const;
    /// Whether the file is loaded at the addresses that it names, and not at others.
    bool is_at_fixed_addresses() const;
    /// Returns the address at which the loader maps the byte at `file_offset`, or nothing when it is not
    /// mapped.
    std::optional<uint64_t> address_of(uint64_t file_offset) const;
    /// Returns the frames at the address, innermost first. Empty when nothing is known.
    std::vector<SourceFrame> frames_at(uint64_t address);

  private:
    struct Parts;
    explicit SymbolFile(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace hotlane::cli
