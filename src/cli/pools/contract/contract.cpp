// SPDX-License-Identifier: MIT
//
// Finds and numbers the messages of a contract.
#include "cli/pools/contract/contract.h"

#include <map>

namespace hotlane::cli {

std::vector<std::string_view> message_names(const Contract& contract) {
    std::vector<std::string_view> names;
    for (const Message& message : contract.messages) {
        if (!message.is_entry) {
            names.push_back(message.name);
        }
    }
    return names;
}

void complete_type_ids(Contract& contract, Problems& problems) {
    std::map<std::string_view, const Message*> by_name;
    std::map<uint64_t, const Message*> by_id;
    uint64_t next = 1;
    for (Message& message : contract.messages) {
        if (message.is_entry) {
            continue;
        }
        const auto [same_name, is_new_name] = by_name.emplace(message.full_name, &message);
        if (!is_new_name) {
            problems.add(message.place, "the message " + quoted(message.name) +
                                            " occurs twice; the first is at line " +
                                            std::to_string(same_name->second->place.line));
        }
        const bool is_given = message.type_id.has_value();
        if (!is_given) {
            message.type_id = next;
            message.type_id_place = message.place;
        }
        const std::string id = "the type id " + std::to_string(*message.type_id);
        const std::string of =
            is_given ? "" : ", which follows the one of the message before " + quoted(message.name) + ",";
        if (*message.type_id > UINT16_MAX) {
            problems.add(message.type_id_place, id + of + " is above 65535");
        }
        const auto [same_id, is_new_id] = by_id.emplace(*message.type_id, &message);
        if (!is_new_id && is_new_name) {
            problems.add(message.type_id_place,
                         id + of + " is already that of " + quoted(same_id->second->name));
        }
        next = *message.type_id + 1;
    }
}

}  // namespace hotlane::cli
