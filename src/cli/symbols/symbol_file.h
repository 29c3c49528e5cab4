// SPDX-License-Identifier: MIT
//
// An ELF file and its debug information: which functions, inlined ones too, an address lies in.
// Knows nothing of profiles or processes.
// Called by the symboliser.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

struct SourceFrame {
    std::string function;  // demangled
    std::string file;      // empty: not known
    int64_t line = 0;      // 0: not known
    bool inlined = false;  // into the next
};

/// Addresses are those of the file (as nm and addr2line have them), not of a process.
class SymbolFile {
  public:
    /// Null when it cannot be opened or is no ELF file.
    static std::unique_ptr<SymbolFile> open(const std::string& path);
    ~SymbolFile();
    SymbolFile(const SymbolFile&) = delete;
    SymbolFile& operator=(const SymbolFile&) = delete;

    /// Where the loader puts what lies there in the file.
    std::optional<uint64_t> address_of(uint64_t file_offset) const;
    /// Innermost first; empty when nothing is known.
    std::vector<SourceFrame> frames_at(uint64_t address);

  private:
    struct Parts;
    explicit SymbolFile(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace hotlane::cli
