// SPDX-License-Identifier: MIT
//
// Fuzzes the reader of contracts in YAML with any text. Bounds can follow after a null character.
#include "cli/pools/contract/bounds_file.h"
#include "cli/pools/yaml/yaml_contract.h"
#include "pools.h"

using namespace hotlane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const size_t null = text.find('\0');
    cli::Problems problems;
    cli::Contract contract = cli::read_yaml_contract("input", std::string{text.substr(0, null)}, problems);
    if (null != text.npos) {
        cli::apply_bounds(contract, "bounds", text.substr(null + 1), problems);
    }
    fuzz::require_places(problems);
    if (problems.empty()) {
        fuzz::plan_some(contract);
    }
    return 0;
}
