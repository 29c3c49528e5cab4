// SPDX-License-Identifier: MIT
//
// The rules for classes and capacities.
#include "cli/pools/generate/plan.h"

#include "cli/pools/contract/message_sizes.h"
#include "cli/pools/generate/identifier.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

namespace hotlane::cli {

namespace {

constexpr uint64_t kStep = 64;
constexpr size_t kMostClasses = 64;  // of a set of pools

/// Stands for a short name that messages of several packages have.
constexpr size_t kAmbiguous = SIZE_MAX;

std::map<std::string_view, size_t> index_of_names(const Contract& contract) {
    std::map<std::string_view, size_t> names;
    for (size_t i = 0; i < contract.messages.size(); ++i) {
        const Message& message = contract.messages[i];
        if (!message.is_entry) {
            const auto [found, is_new] = names.emplace(message.name, i);
            found->second = is_new || message.name == message.full_name ? found->second : kAmbiguous;
        }
    }
    for (size_t i = 0; i < contract.messages.size(); ++i) {
        if (!contract.messages[i].is_entry) {
            names[contract.messages[i].full_name] = i;
        }
    }
    return names;
}

/// Returns the indexes of the messages that the service uses.
std::vector<size_t> used_messages(const Contract& contract, const Service& service, Problems& problems) {
    const std::map<std::string_view, size_t> names = index_of_names(contract);
    const std::vector<std::string_view> known = message_names(contract);
    std::vector<size_t> used;
    std::vector<bool> is_used(contract.messages.size());
    for (const Service::Use& use : service.messages) {
        const auto found = names.find(use.message);
        if (found == names.end()) {
            problems.add(use.place, "there is no message " + quoted(use.message) + " in " + contract.file +
                                        problems.suggestion(use.message, known));
        } else if (found->second == kAmbiguous) {
            problems.add(use.place, "several packages have a message " + quoted(use.message) +
                                        "; write it with its package");
        } else if (is_used[found->second]) {
            problems.add(use.place, "the message " + quoted(use.message) + " is listed twice");
        } else {
            is_used[found->second] = true;
            used.push_back(found->second);
        }
    }
    return used;
}

/// Checks that the names can be used in C and C++, and differ there.
void check_identifiers(const Contract& contract, const std::vector<size_t>& used, const Service& service,
                       Problems& problems) {
    std::map<std::string, const Message*> taken;
    for (const size_t index : used) {
        const Message& message = contract.messages[index];
        const std::string wrong = identifier_problem(message.name, kLongestMessage);
        const std::string identifier = to_identifier(message.name);
        if (!wrong.empty()) {
            problems.add(message.place, "the message " + quoted(message.name) + " " + wrong);
        } else if (identifier == to_identifier(service.name) + "_pools" ||
                   identifier == to_identifier(service.name) + "_service") {
            problems.add(message.place, "the message " + quoted(message.name) +
                                            " has a name that is generated for the service");
        }
        const auto [other, is_new] = taken.emplace(identifier, &message);
        if (!is_new) {
            problems.add(message.place, "the messages " + quoted(other->second->full_name) + " and " +
                                            quoted(message.full_name) + " are both called " + identifier +
                                            " in C and C++");
        }
    }
    if (const std::string wrong = identifier_problem(service.name, kLongestService);
        !service.name.empty() && !wrong.empty()) {
        problems.add(service.place, "the service " + quoted(service.name) + " " + wrong);
    }
}

void plan_classes(Plan& plan) {
    std::set<uint64_t> sizes;
    for (const PlannedMessage& message : plan.messages) {
        sizes.insert(message.buffer_class);
    }
    for (const uint64_t size : sizes) {
        plan.classes.push_back({size, capacity(plan.service, size)});
    }
}

void check_bounds(const Plan& plan, Problems& problems) {
    const Service& service = plan.service;
    if (plan.classes.size() > kMostClasses) {
        problems.add(service.place,
                     "the service has " + std::to_string(plan.classes.size()) +
                         " classes of buffers, and at most 64 are possible; use powers of two");
    }
    const uint64_t bytes = plan.bytes();
    if (service.memory_limit && bytes > *service.memory_limit) {
        problems.add(service.limit_place, "the pools take " + std::to_string(bytes) +
                                              " bytes, more than the memory_limit of " +
                                              std::to_string(*service.memory_limit));
    }
}

}  // namespace

const PlannedClass& Plan::class_of(const PlannedMessage& message) const {
    return *std::find_if(classes.begin(), classes.end(), [&message](const PlannedClass& one) {
        return one.object_size == message.buffer_class;
    });
}

uint64_t Plan::bytes() const {
    uint64_t bytes = 0;  // a class has at most a million buffers of 1G
    for (const PlannedClass& one : classes) {
        bytes += one.object_size * one.capacity;
    }
    return bytes;
}

uint64_t buffer_class(uint64_t size, ClassRule rule) {
    constexpr uint64_t kSmallestPower = 128;
    if (rule == ClassRule::power_of_two) {
        return std::bit_ceil(std::max(size, kSmallestPower));
    }
    return (std::max(size, kStep) + kStep - 1) / kStep * kStep;
}

uint64_t capacity(const Service& service, uint64_t object_size) {
    constexpr uint64_t kFewest = 4;
    if (!service.is_enabled) {
        return 0;
    }
    return service.in_flight ? *service.in_flight : std::max(kFewest, service.budget / object_size);
}

Plan make_plan(Contract& contract, Service service, ClassRule rule, Problems& problems) {
    complete_type_ids(contract, problems);
    const std::vector<size_t> used = used_messages(contract, service, problems);
    check_identifiers(contract, used, service, problems);
    std::vector<bool> wanted(contract.messages.size(), contract.encoding == Encoding::plain);
    for (const size_t index : used) {
        wanted[index] = true;
    }
    compute_sizes(contract, wanted, problems);

    Plan plan;
    plan.identifier = to_identifier(service.name);
    plan.service = std::move(service);
    plan.header = contract.header;
    for (const size_t index : used) {
        const Message& message = contract.messages[index];
        plan.messages.push_back({message.name, to_identifier(message.name), *message.type_id,
                                 message.max_size, buffer_class(message.max_size, rule)});
    }
    plan_classes(plan);
    check_bounds(plan, problems);
    return plan;
}

}  // namespace hotlane::cli
