// SPDX-License-Identifier: MIT
//
// Expands patterns to file names, and writes files by way of temporary ones.
#include "reports/output_file.h"

#include "platform/os.h"
#include "text/units.h"

#include <cerrno>
#include <climits>

namespace hotlane {

namespace {

constexpr int kStandardError = 2;
constexpr std::string_view kEnd{"\0", 1};  // ends a C string

/// Writes the value of the field that `letter` stands for. Returns false when it stands for none.
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

/// Returns the directory part of a path, with its slash. It is empty for a file in the current directory.
std::string_view directory_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

/// Returns the number of this process's descriptor that the path names, or -1 when it names none.
int descriptor_named(std::string_view path) {
    if (path == "/dev/stdout") {
        return 1;
    }
    if (path == "/dev/stderr") {
        return kStandardError;
    }
    for (const std::string_view prefix : {"/dev/fd/", "/proc/self/fd/"}) {
        if (path.starts_with(prefix)) {
            uint64_t number = 0;
            const bool is_number = parse_count(path.substr(prefix.size()), number) && number <= INT_MAX;
            return is_number ? static_cast<int>(number) : -1;
        }
    }
    return -1;
}

/// Returns why a file of this kind cannot be written, or null when it can.
const char* objection(os::FileKind kind) {
    switch (kind) {
    case os::FileKind::none:
    case os::FileKind::regular:
    case os::FileKind::link:
    case os::FileKind::character_device:
        return nullptr;
    case os::FileKind::block_device:
        return "a disk, not a regular file";
    case os::FileKind::directory:
        return "a directory, not a regular file";
    case os::FileKind::fifo:
        return "a FIFO, not a regular file or /dev/stderr";
    case os::FileKind::socket:
        return "a socket, not a regular file or /dev/stderr";
    }
    return nullptr;
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

OutputFile::OutputFile(const char* path) {
    if (Writer{path_, sizeof path_}.text(path).text(kEnd).ok()) {
        open();
    } else {
        problem_ = "the name is too long";
    }
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) {
        (void)finish(false);
    }
}

void OutputFile::open() {
    if (!follow_links()) {
        return;
    }
    direct_ = true;
    if (const int named = descriptor_named(path_); named >= 0) {
        if (named == kStandardError && !standard_error_is_ours()) {
            problem_ = "another file has taken its descriptor";
            return;
        }
        descriptor_ = os::duplicate(named);
    } else if (const os::FileStatus status = os::file_status(path_);
               status.kind == os::FileKind::character_device) {
        descriptor_ = os::open_device(path_);
    } else if (const char* why = objection(status.kind)) {
        problem_ = why;
        return;
    } else {
        direct_ = false;
        constexpr unsigned kForEverybody = 0644;
        const bool keeps = status.kind == os::FileKind::regular && status.is_own;
        open_temporary(keeps ? status.permissions : kForEverybody, keeps);
    }
    if (descriptor_ < 0) {
        problem_ = os::error_text();
    }
}

/// Replaces `path_` by the target of its links. Returns false and sets `problem_` when a link leads nowhere
/// or is not trusted.
bool OutputFile::follow_links() {
    constexpr int kMostLinks = 8;
    for (int links = 0; descriptor_named(path_) < 0 && os::file_status(path_).kind == os::FileKind::link;
         ++links) {
        char target[Config::kPathCapacity];
        if (links == kMostLinks) {
            problem_ = "too many links, one after the other";
            return false;
        }
        if (!os::read_link(path_, target, sizeof target)) {
            problem_ = errno == EPERM ? "a link that another user made" : os::error_text();
            return false;
        }
        if (!replace_link(target)) {
            problem_ = "a link to a name that is too long";
            return false;
        }
    }
    return true;
}

/// Replaces the link `path_` by its target, which may be relative to the link's directory.
bool OutputFile::replace_link(const char* target) {
    const size_t kept = *target == '/' ? 0 : directory_of(path_).size();
    return Writer{path_ + kept, sizeof path_ - kept}.text(target).text(kEnd).ok();
}

/// Creates the temporary file beside the final one. Its name is random, so another user cannot have placed a
/// file there, and a file that a killed process left behind does no harm.
void OutputFile::open_temporary(unsigned permissions, bool exactly) {
    constexpr int kMostTries = 4;
    for (int tries = 0; descriptor_ < 0 && tries < kMostTries && (tries == 0 || errno == EEXIST); ++tries) {
        Writer name{temporary_, sizeof temporary_};
        name.text(directory_of(path_)).text(".hotlane.").hex(os::random_number()).text(".tmp").text(kEnd);
        descriptor_ = os::create_file(temporary_, permissions);
    }
    if (descriptor_ >= 0 && exactly) {
        os::set_permissions(descriptor_, permissions);
    }
}

bool OutputFile::finish(bool written) {
    if (descriptor_ < 0) {
        return false;
    }
    const char* const why_not_written = os::error_text();
    const bool complete =
        os::close_file(descriptor_) && (direct_ || !written || os::rename_file(temporary_, path_));
    descriptor_ = -1;
    if (!complete || !written) {
        problem_ = written ? os::error_text() : why_not_written;
        if (!direct_) {
            os::remove_file(temporary_);
        }
    }
    return complete && written;
}

}  // namespace hotlane
