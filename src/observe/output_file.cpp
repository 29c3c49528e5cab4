// SPDX-License-Identifier: MIT
//
// Names from patterns, and files by way of temporary ones.
// Knows nothing of what is written.
// Called through output_file.h.
#include "observe/output_file.h"

#include "base/os.h"

namespace hotlane {

namespace {

constexpr std::string_view kEnd{"\0", 1};  // of a C string

/// Writes what the letter after a % stands for. False when it stands for nothing.
bool write_field(Writer& out, char letter, const NameFields& fields) {
    switch (letter) {
    case 'p':
        out.signed_number(fields.process_id);
        return true;
    case 'e':
        out.text(fields.program);
        return true;
    case 'n':
        out.number(fields.number);
        return true;
    case '%':
        out.text("%");
        return true;
    default:
        return false;
    }
}

}  // namespace

bool expand_path(const char* pattern, const NameFields& fields, char* out, size_t capacity) {
    Writer path{out, capacity};
    for (const char* c = pattern; *c != '\0'; ++c) {
        if (*c == '%' && write_field(path, c[1], fields)) {
            ++c;
        } else {
            path.text({c, 1});
        }
    }
    return path.text(kEnd).ok();
}

OutputFile::OutputFile(const char* path, int process_id) : path_{path}, direct_{os::is_special_file(path)} {
    // A rename would put a file in the place of a device, a pipe or a link.
    Writer name{temporary_, sizeof temporary_};
    name.text(path).text(".").signed_number(process_id).text(".tmp").text(kEnd);
    descriptor_ = os::open_for_write(direct_ ? path : temporary_);
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) {
        (void)finish(false);
    }
}

bool OutputFile::finish(bool written) {
    if (descriptor_ < 0) {
        return false;
    }
    const bool complete = os::close_file(descriptor_) && written;
    descriptor_ = -1;
    if (direct_) {
        return complete;
    }
    if (!complete) {
        os::remove_file(temporary_);
    }
    return complete && os::rename_file(temporary_, path_);
}

}  // namespace hotlane
