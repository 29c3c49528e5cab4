// SPDX-License-Identifier: MIT
//
// Writes return addresses as lines of text.
#include "profiler/stack/call_stack.h"

#include "options/config.h"
#include "platform/os.h"
#include "profiler/stack/backtrace.h"
#include "profiler/stack/unwind_index.h"

namespace hotlane {

namespace {

constexpr size_t kMostFramesShown = 16;

void write_place(Writer& out, uintptr_t address) {
    unwind_index::Module module{};
    if (!unwind_index::find_module(address, module)) {
        return;  // code generated at run time
    }
    char program[Config::kPathCapacity];
    if (*module.path == '\0') {
        os::program_path(program, sizeof program);
        module.path = program;
    }
    out.text(" ").shown(module.path).text("+").hex(address - module.bias);
}

}  // namespace

void write_frames(Writer& out, const uintptr_t* frames, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const uintptr_t inside_the_call = frames[i] - 1;
        out.text("hotlane:   at ").hex(inside_the_call);
        write_place(out, inside_the_call);
        out.text("\n");
    }
}

[[gnu::noinline]] void write_call_stack(Writer& out) {
    uintptr_t frames[kMostFramesShown];
    write_frames(out, frames, backtrace::capture_without_locks(frames, kMostFramesShown));
}

}  // namespace hotlane
