// SPDX-License-Identifier: MIT
//
// Chooses the reader of a contract by the end of its name.
#include "cli/pools/generate/inputs.h"

#include "cli/pools/contract/bounds_file.h"
#include "cli/pools/contract/input_file.h"
#include "cli/pools/protobuf/proto_contract.h"
#include "cli/pools/yaml/yaml_contract.h"

#include <algorithm>

namespace hotlane::cli {

namespace {

bool ends_with_one_of(std::string_view name, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(),
                       [name](std::string_view ending) { return name.ends_with(ending); });
}

Contract read_contract(const InputOptions& options, Problems& problems) {
    constexpr size_t kMostDescriptors = size_t{64} << 20U;
    const std::string& file = options.contract;
    if (file.ends_with(".proto")) {
        return read_proto_file(file, options.import_paths, problems);
    }
    if (ends_with_one_of(file, {".yaml", ".yml"})) {
        const auto text = read_input(file, kMostText, problems);
        return text ? read_yaml_contract(file, *text, problems) : Contract{};
    }
    if (ends_with_one_of(file, {".pb", ".binpb", ".desc", ".protoset"})) {
        const auto bytes = read_input(file, kMostDescriptors, problems);
        return bytes ? read_descriptor_set(file, *bytes, problems) : Contract{};
    }
    problems.add({file},
                 "expected a contract whose name ends in .yaml, .yml or .proto, or a FileDescriptorSet "
                 "whose name ends in .pb, .binpb, .desc or .protoset");
    return {};
}

}  // namespace

Inputs read_inputs(const InputOptions& options, Problems& problems) {
    Inputs inputs;
    Contract contract = read_contract(options, problems);
    const bool has_contract = problems.empty();
    contract.file = options.contract;
    inputs.files = contract.files.empty() ? std::vector{options.contract} : contract.files;
    if (!options.bounds.empty()) {
        inputs.files.push_back(options.bounds);
        const auto text = read_input(options.bounds, kMostText, problems);
        if (text && has_contract) {
            apply_bounds(contract, options.bounds, *text, problems);
        }
    }
    inputs.files.push_back(options.config);
    Service service;
    if (const auto text = read_input(options.config, kMostText, problems)) {
        service = read_service(options.config, *text, options.service, problems);
    }
    // Of a contract that could not be read, every message would be unknown.
    if (has_contract || !contract.messages.empty()) {
        inputs.plan = make_plan(contract, std::move(service), options.rule, problems);
    }
    return inputs;
}

}  // namespace hotlane::cli
