// SPDX-License-Identifier: MIT
//
// The text of a guard's report: one sentence, and the stacks of the mistake, the allocation and the free.
#include "guards/guard_report.h"

#include "profiler/stack/call_stack.h"

namespace hotlane {

namespace {

constinit char text[16 * KiB];  // too large for the stack of a signal handler

const char* name_of(faults::Access access) {
    switch (access) {
    case faults::Access::read:
        return "read";
    case faults::Access::write:
        return "write";
    case faults::Access::execute:
        return "jump";
    case faults::Access::unknown:
        break;
    }
    return "access";
}

/// Writes where an address is relative to an object.
void write_place(Writer& out, uintptr_t address, const GuardedObject& object) {
    if (address < object.begin) {
        out.number(object.begin - address).text(" bytes before");
    } else if (address >= object.end()) {
        out.number(address - object.end()).text(" bytes after");
    } else {
        out.number(address - object.begin).text(" bytes into");
    }
    out.text(" an object of ").number(object.size).text(" bytes at ").hex(object.begin);
}

void write_access(Writer& out, const GuardFinding& finding) {
    const GuardedObject& object = finding.object;
    const bool inside = finding.address - object.begin < object.size;
    const char* what = object.state == GuardedObject::State::freed ? "use after free"
                       : finding.address < object.begin            ? "heap buffer underflow"
                                                                   : "heap buffer overflow";
    out.text(inside && object.state == GuardedObject::State::live ? "heap access" : what);
    out.text(": ").text(name_of(finding.access)).text(" at ").hex(finding.address).text(", ");
    write_place(out, finding.address, object);
}

void write_sentence(Writer& out, const GuardFinding& finding) {
    using enum GuardFinding::Kind;
    if (finding.kind == access) {
        write_access(out, finding);
        return;
    }
    out.text(finding.operation)
        .text("(")
        .hex(finding.kind == overwritten ? finding.object.begin : finding.address);
    switch (finding.kind) {
    case double_free:
        out.text("): the object is free already (double free of ")
            .number(finding.object.size)
            .text(" bytes)");
        break;
    case interior_pointer:
        out.text("): not the start of an object (interior pointer into an object of ")
            .number(finding.object.size)
            .text(" bytes)");
        break;
    case no_object:
        out.text("): not a pointer handed out by malloc");
        break;
    default:
        out.text("): heap buffer ").text(finding.address < finding.object.begin ? "underflow" : "overflow");
        out.text(": a byte was overwritten ");
        write_place(out, finding.address, finding.object);
    }
}

void write_trace(Writer& out, const char* what, const GuardTrace& trace) {
    if (trace.thread == 0) {
        return;  // did not happen
    }
    out.text("hotlane:   ").text(what).text(" by thread ").number(trace.thread);
    out.text(trace.depth == 0 ? ", stack unknown\n" : ":\n");
    write_frames(out, trace.frames, trace.depth);
}

}  // namespace

void write_guard_report(const GuardFinding& finding) {
    char program[64];
    os::program_name(program, sizeof program);
    Writer out(text, sizeof text);
    out.text("hotlane: ");
    write_sentence(out, finding);
    out.text(" (").text(program).text(", pid ").number(static_cast<uint64_t>(os::process_id())).text(")\n");
    write_trace(out, "here,", finding.here);
    if (finding.has_object) {
        write_trace(out, "allocated", finding.object.allocated);
        write_trace(out, "freed", finding.object.freed);
    }
    out.flush();
    const std::string_view written{text, out.bytes_written()};
    write_to_standard_error(written.substr(0, written.rfind('\n') + 1));  // only whole lines
}

}  // namespace hotlane
