// SPDX-License-Identifier: MIT
//
// The messages about misuse of pointers. Allocates nothing, and may run under any lock.
#include "diagnostics/misuse.h"

#include "platform/os.h"

#include <atomic>

namespace hotlane {

namespace {
constinit OnError on_error = OnError::abort;
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<bool> lost{false};
HOTLANE_DATA_OF_EVERY_PROCESS constinit auto stack_writer = static_cast<void (*)(Writer&)>(nullptr);
constinit std::atomic<uint32_t> mistakes{0};

constexpr uint32_t kMostTold = 1000;
constexpr uint32_t kMostStacks = 16;

/// The text of a whole report, so that one write is enough. It is static because it is too large for some
/// stacks, and is used by one thread at a time.
constinit char text[4096];
constinit std::atomic<bool> text_is_taken{false};

/// "hotlane: <program> (pid <id>): <what>"
void write_line(Writer& out, std::string_view what) {
    char program[64];
    os::program_name(program, sizeof program);
    out.text("hotlane: ").shown(program).text(" (pid ").signed_number(os::process_id());
    out.text("): ").text(what).text("\n");
}

/// Returns false if the text is in use, by another thread or by this one before a signal interrupted it.
bool write_with_stack(std::string_view what) {
    if (stack_writer == nullptr || text_is_taken.exchange(true)) {
        return false;
    }
    Writer out(text, sizeof text);
    write_line(out, what);
    stack_writer(out);
    const std::string_view written{text, out.bytes_written()};
    write_to_standard_error(written.substr(0, written.rfind('\n') + 1));  // only whole lines
    text_is_taken.store(false);
    return true;
}

void tell(std::string_view what) {
    const uint32_t before = mistakes.fetch_add(1, std::memory_order_relaxed);
    if (before < kMostStacks && write_with_stack(what)) {
        return;
    }
    char line[512];
    Writer out(line, sizeof line);
    if (before < kMostTold) {
        write_line(out, what);
    } else if (before == kMostTold) {
        write_line(out, "further mistakes are not told");
    }
    write_to_standard_error({line, out.bytes_written()});
}

}  // namespace

void set_on_error(OnError choice) { on_error = choice; }

HOTLANE_IN_EVERY_PROCESS void set_stack_writer(void (*write_stack)(Writer& out)) {
    stack_writer = write_stack;
}

void report_mistake(std::string_view what) {
    tell(what);
    if (on_error == OnError::abort) {
        os::abort_process();
    }
}

void report_misuse(Misuse kind, Operation operation, const void* p, size_t object_size) {
    char line[192];
    Writer out(line, sizeof line);
    out.text(operation).text("(").hex(address_of(p)).text("): ");
    switch (kind) {
    case Misuse::foreign_pointer:
        out.text("not a pointer handed out by malloc");
        break;
    case Misuse::interior_pointer:
        out.text("not the start of an object (interior pointer into an object of ")
            .number(object_size)
            .text(" bytes)");
        break;
    case Misuse::double_free:
        out.text("the object is free already (double free)");
        break;
    }
    out.flush();
    report_mistake({line, out.bytes_written()});
}

void report_misuse_under_locks(Misuse kind, Operation operation, const void* p, size_t object_size) {
    if (on_error == OnError::abort) {
        lost.store(true, std::memory_order_relaxed);
    }
    report_misuse(kind, operation, p, object_size);
}

HOTLANE_IN_EVERY_PROCESS bool locks_are_lost() { return lost.load(std::memory_order_relaxed); }

}  // namespace hotlane
