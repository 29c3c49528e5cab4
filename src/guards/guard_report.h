// SPDX-License-Identifier: MIT
//
// The report of a mistake that a guard found.
#pragma once

#include "diagnostics/misuse.h"
#include "guards/faults.h"
#include "guards/guard_pool.h"

namespace hotlane {

struct GuardFinding {
    enum class Kind : uint8_t {
        access,       // the program accessed inaccessible memory
        double_free,  // this and the next kinds: frees of what is not a live object
        interior_pointer,
        no_object,
        overwritten,  // found when the object is freed
    };

    Kind kind;
    faults::Access access;  // for Kind::access
    Operation operation;    // for the other kinds
    uintptr_t address;
    bool has_object;
    GuardedObject object;
    GuardTrace here;
};

/// Writes the report to stderr in one piece. Allocates nothing. May be called in a signal handler, by one
/// thread at a time.
void write_guard_report(const GuardFinding& finding);

}  // namespace hotlane
