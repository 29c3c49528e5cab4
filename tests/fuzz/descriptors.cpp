// SPDX-License-Identifier: MIT
//
// Fuzzes the reader of FileDescriptorSets with any bytes. Messages without bounds get some, so that sizes are computed.
#include "cli/pools/protobuf/proto_contract.h"
#include "pools.h"

using namespace hotlane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string bytes{reinterpret_cast<const char*>(data), size};
    cli::Problems problems;
    cli::Contract contract = cli::read_descriptor_set("input", bytes, problems);
    fuzz::require_places(problems);
    if (!problems.empty()) {
        return 0;
    }
    fuzz::plan_some(contract);
    for (cli::Message& message : contract.messages) {
        for (cli::Field& field : message.fields) {
            field.max_bytes = field.max_bytes.value_or(size);
            field.max_items = field.max_items.value_or(2);
        }
    }
    fuzz::plan_some(contract);
    return 0;
}
