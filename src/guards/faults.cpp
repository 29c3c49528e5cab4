// SPDX-License-Identifier: MIT
//
// The handler of SIGSEGV. It passes what is not ours to the handler that was set before it.
#include "guards/faults.h"

#include "base/errno_saver.h"

#include <csignal>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace hotlane::faults {

namespace {

using Answerer = Answer (*)(const Fault&);
constinit Answerer answerer = nullptr;
constinit struct sigaction before {};  // before we set ours

#if defined(__x86_64__)

Fault fault_of(const siginfo_t& info, const ucontext_t& context) {
    // Bits of the error code of a page fault (Intel SDM, volume 3, 4.7).
    constexpr greg_t kWrite = 1 << 1;
    constexpr greg_t kFetch = 1 << 4;
    const auto* const registers = context.uc_mcontext.gregs;
    const greg_t code = registers[REG_ERR];
    return {.address = address_of(info.si_addr),
            .access = (code & kFetch) != 0   ? Access::execute
                      : (code & kWrite) != 0 ? Access::write
                                             : Access::read,
            .pc = static_cast<uintptr_t>(registers[REG_RIP]),
            .sp = static_cast<uintptr_t>(registers[REG_RSP]),
            .fp = static_cast<uintptr_t>(registers[REG_RBP])};
}

#else

Fault fault_of(const siginfo_t& info, const ucontext_t&) {
    return {.address = address_of(info.si_addr), .access = Access::unknown, .pc = 0, .sp = 0, .fp = 0};
}

#endif

bool comes_from_the_processor(const siginfo_t& info) { return info.si_code > 0; }

/// Does what would happen without our handler. A fault occurs again after the return, and then ends the
/// process at the same instruction. A signal that somebody sent must be sent again.
void do_the_default(int number, siginfo_t* info) {
    struct sigaction original {};
    original.sa_handler = SIG_DFL;
    sigaction(number, &original, nullptr);
    if (!comes_from_the_processor(*info)) {
        syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, info);
    }
}

void pass_on(int number, siginfo_t* info, void* context) {
    const struct sigaction next = before;
    const bool is_default = (next.sa_flags & SA_SIGINFO) == 0 && next.sa_handler == SIG_DFL;
    const bool is_ignored = (next.sa_flags & SA_SIGINFO) == 0 && next.sa_handler == SIG_IGN;
    if (is_ignored && !comes_from_the_processor(*info)) {
        return;
    }
    if (is_default || is_ignored) {  // the kernel never ignores a fault
        do_the_default(number, info);
        return;
    }
    if ((next.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) {
        before.sa_flags = 0;
        before.sa_handler = SIG_DFL;
    }
    if ((next.sa_flags & SA_SIGINFO) != 0) {
        next.sa_sigaction(number, info, context);
    } else {
        next.sa_handler(number);
    }
}

void handle(int number, siginfo_t* info, void* context) {
    ErrnoSaver keep;
    if (comes_from_the_processor(*info) &&
        answerer(fault_of(*info, *static_cast<const ucontext_t*>(context))) == Answer::try_again) {
        return;
    }
    pass_on(number, info, context);
}

}  // namespace

bool set_up(Answer (*answer)(const Fault&)) {
    ErrnoSaver keep;
    answerer = answer;
    if (sigaction(SIGSEGV, nullptr, &before) != 0) {
        return false;
    }
    // The flags are those that the previous handler asked for, plus SA_ONSTACK: the fault may be the overflow
    // of the thread's normal stack.
    struct sigaction ours = before;
    ours.sa_sigaction = handle;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (before.sa_flags & (SA_NODEFER | SA_RESTART));
    return sigaction(SIGSEGV, &ours, nullptr) == 0;
}

}  // namespace hotlane::faults
