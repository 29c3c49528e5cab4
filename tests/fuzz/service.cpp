// SPDX-License-Identifier: MIT
//
// Fuzzes the reader of service files with any text as TOML, for a contract of three messages.
#include "cli/pools/service/service.h"
#include "pools.h"

using namespace hotlane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    cli::Problems problems;
    cli::Service service = cli::read_service("input", text, "", problems);
    cli::Contract contract;
    for (const char* name : {"A", "Bee", "see-saw"}) {
        cli::Message message;
        message.name = message.full_name = name;
        message.declared_size = contract.messages.size() * 1000;
        contract.messages.push_back(message);
    }
    if (!service.name.empty()) {
        const cli::Plan plan =
            cli::make_plan(contract, std::move(service), cli::ClassRule::power_of_two, problems);
        if (problems.empty()) {
            fuzz::require_plan(plan);
        }
    }
    fuzz::require_places(problems);
    return 0;
}
