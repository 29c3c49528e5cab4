// SPDX-License-Identifier: MIT
//
// The pools of a service: a class of buffers for each message, and a capacity for each class.
#pragma once

#include "cli/pools/contract/contract.h"
#include "cli/pools/service/service.h"

namespace hotlane::cli {

/// How the class of a message follows from its largest size.
enum class ClassRule : uint8_t {
    power_of_two,  // the power of two that is at least the size and 128
    tight,         // the multiple of 64 that is at least the size
};

struct PlannedMessage {
    std::string name;
    std::string identifier;  // in C and C++
    uint64_t type_id;
    uint64_t max_size;
    uint64_t buffer_class;
};

struct PlannedClass {
    uint64_t object_size;
    uint64_t capacity;  // 0: the allocator serves every request
};

struct Plan {
    Service service;
    std::string identifier;  // of the service
    FrameHeader header;
    std::vector<PlannedMessage> messages;  // in the order of the service file
    std::vector<PlannedClass> classes;     // ascending

    const PlannedClass& class_of(const PlannedMessage& message) const;
    uint64_t bytes() const;  // of all buffers
};

/// Returns the class of a message of that size. `size` is at most kMostBytes.
uint64_t buffer_class(uint64_t size, ClassRule rule);

/// Returns how many buffers a class has: `in_flight`, or as many as fit into the budget, but at least 4.
uint64_t capacity(const Service& service, uint64_t object_size);

/// Computes the pools of the service, and the sizes of the messages that it uses; of all messages of a plain
/// contract. Reports unknown messages, names that cannot be used in C and C++, and pools beyond the limit.
Plan make_plan(Contract& contract, Service service, ClassRule rule, Problems& problems);

}  // namespace hotlane::cli
