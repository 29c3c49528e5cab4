// SPDX-License-Identifier: MIT
//
// The messages of misuse, all in one place.
// Knows nothing of the tiers that notice it; allocates nothing, may run under any lock.
// Called by depot and allocator.
#include "base/misuse.h"

#include "base/os.h"
#include "base/writer.h"

#include <atomic>

namespace hotlane {

namespace {
constinit OnError on_error = OnError::abort;
constinit std::atomic<bool> lost{false};
}  // namespace

void set_on_error(OnError choice) { on_error = choice; }

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
    message({line, out.bytes_written()});
    if (on_error == OnError::abort) {
        os::abort_process();
    }
}

void report_misuse_under_locks(Misuse kind, Operation operation, const void* p, size_t object_size) {
    if (on_error == OnError::abort) {
        lost.store(true, std::memory_order_relaxed);
    }
    report_misuse(kind, operation, p, object_size);
}

bool locks_are_lost() { return lost.load(std::memory_order_relaxed); }

}  // namespace hotlane
