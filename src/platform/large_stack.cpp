// SPDX-License-Identifier: MIT
#include "platform/large_stack.h"

#include "base/base.h"
#include "platform/os.h"

#include <ucontext.h>

namespace hotlane {

namespace {

// On riscv64, libc's structure has an array of no elements inside.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
struct LargeStack {
    ucontext_t caller;
    ucontext_t worker;
    void (*work)(void*);
    void* argument;
    std::byte bytes[128 * KiB];
};
#pragma GCC diagnostic pop

/// makecontext() passes only ints, so the pointer arrives in two halves.
void enter(unsigned high, unsigned low) {
    auto& stack = *static_cast<LargeStack*>(pointer_to(uintptr_t{high} << 32 | low));
    stack.work(stack.argument);
}

}  // namespace

void run_on_large_stack(void (*work)(void*), void* argument) {
    auto* stack = static_cast<LargeStack*>(os::map(sizeof(LargeStack)));
    if (stack == nullptr) {
        work(argument);
        return;
    }
    stack->work = work;
    stack->argument = argument;
    getcontext(&stack->worker);
    stack->worker.uc_stack.ss_sp = stack->bytes;
    stack->worker.uc_stack.ss_size = sizeof stack->bytes;
    stack->worker.uc_link = &stack->caller;
    const uintptr_t address = address_of(stack);
    makecontext(&stack->worker, reinterpret_cast<void (*)()>(enter), 2, static_cast<unsigned>(address >> 32),
                static_cast<unsigned>(address));
    swapcontext(&stack->caller, &stack->worker);
    os::unmap(stack, sizeof(LargeStack));
}

}  // namespace hotlane
