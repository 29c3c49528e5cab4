// SPDX-License-Identifier: MIT
//
// Work that needs more stack than a thread of the program may have.
#pragma once

namespace hotlane {

/// Calls `work(argument)` on a stack of 128 KiB that is mapped for this call, or on the caller's stack if there is
/// no memory. A thread may have a stack of 16 KiB, and thread-local variables lie in it, too. Costs some system
/// calls. Thread-safe.
void run_on_large_stack(void (*work)(void*), void* argument);

/// The same for a function object.
template <typename Work>
void run_on_large_stack(Work work) {
    run_on_large_stack([](void* object) { (*static_cast<Work*>(object))(); }, &work);
}

}  // namespace hotlane
