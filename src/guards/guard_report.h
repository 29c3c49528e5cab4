// SPDX-License-Identifier: MIT
//
// What is said about a mistake that a guard found.
// Knows nothing of how it was found.
// Used by guard.
#pragma once

#include "diagnostics/misuse.h"
#include "guards/faults.h"
#include "guards/guard_pool.h"

namespace hotlane {

struct GuardFinding {
    enum class Kind : uint8_t {
        access,       // of the program, to what is inaccessible
        double_free,  // and frees of what is no object
        interior_pointer,
        no_object,
        overwritten,  // found when the object is freed
    };

    Kind kind;
    faults::Access access;  // of Kind::access
    Operation operation;    // of the others
    uintptr_t address;
    bool has_object;
    GuardedObject object;
    GuardTrace here;
};

/// Writes it to stderr, in one piece. Allocates nothing; may be called in a signal handler, by one thread at
/// a time.
void write_guard_report(const GuardFinding& finding);

}  // namespace hotlane
