// SPDX-License-Identifier: MIT
//
// Finds the start of each ELF file in /proc/self/maps, and the note with its build-id in memory.
#include "profiler/stack/build_ids.h"

#include "platform/os.h"
#include "platform/safe_read.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <link.h>

namespace hotlane::inspect {

namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Note = ElfW(Nhdr);

/// Parses a hexadecimal number and skips the character after it.
uintptr_t hex(const char*& text) {
    uintptr_t number = 0;
    for (;; ++text) {
        const char c = *text;
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            text += c != '\0' ? 1 : 0;
            return number;
        }
        number = number << 4 | static_cast<uintptr_t>(digit);
    }
}

/// The range of a line such as "7f00-7f01 r--p 00000000 08:01 12  /usr/lib/x.so". Empty unless it maps the
/// start of a file that can be read.
Extent start_of_file(const char* line) {
    Extent range;
    range.begin = hex(line);
    range.end = hex(line);
    if (line[0] != 'r' || strlen(line) < 5) {
        return {};
    }
    line += 5;  // "r--p "
    const bool at_start = hex(line) == 0;
    return at_start && strchr(line, '/') != nullptr ? range : Extent{};
}

/// Looks for the note in a note segment, which lies in `notes`.
bool find_note(const char* notes, size_t size, BuildId& id) {
    constexpr size_t kAlignment = 4;
    for (size_t at = 0; at + sizeof(Note) <= size;) {
        Note note;
        memcpy(&note, notes + at, sizeof note);
        const size_t name = at + sizeof note;
        const size_t content = name + round_up(note.n_namesz, kAlignment);
        if (note.n_namesz > size || note.n_descsz > size || content + note.n_descsz > size) {
            return false;
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof "GNU" &&
            memcmp(notes + name, "GNU", sizeof "GNU") == 0 && note.n_descsz <= BuildId::kLongest) {
            id.length = note.n_descsz;
            memcpy(id.bytes, notes + content, note.n_descsz);
            return id.length != 0;
        }
        at = content + round_up(note.n_descsz, kAlignment);
    }
    return false;
}

/// Whether the ELF file whose start is mapped at `range` has a build-id in that mapping.
bool find_build_id(const Extent& range, BuildId& id) {
    constexpr unsigned kMostSegments = 64;
    Header header;
    const size_t size = range.end - range.begin;
    if (size < sizeof header || !read_memory(range.begin, &header, sizeof header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(Segment) ||
        header.e_phoff > size) {
        return false;
    }
    id.mapping = range.begin;
    for (unsigned i = 0; i < std::min<unsigned>(header.e_phnum, kMostSegments); ++i) {
        Segment segment;
        char notes[1024];
        if (!read_memory(range.begin + header.e_phoff + i * sizeof segment, &segment, sizeof segment)) {
            return false;
        }
        const size_t length = std::min<size_t>(segment.p_filesz, sizeof notes);
        const bool inside = segment.p_offset <= size && length <= size - segment.p_offset;
        if (segment.p_type == PT_NOTE && inside &&
            read_memory(range.begin + segment.p_offset, notes, length) && find_note(notes, length, id)) {
            return true;
        }
    }
    return false;
}

}  // namespace

void for_each_build_id(void (*visit)(const BuildId& id, void* context), void* context) {
    const int maps = os::open_for_reading("/proc/self/maps");
    if (maps < 0) {
        return;
    }
    char line[128];  // the addresses and the start of the path
    size_t length = 0;
    char bytes[1024];
    for (long count = 0; (count = os::read_some(maps, bytes, sizeof bytes)) > 0;) {
        for (long i = 0; i < count; ++i) {
            if (bytes[i] != '\n') {
                line[length] = bytes[i];
                length = std::min(length + 1, sizeof line - 1);
                continue;
            }
            line[length] = '\0';
            length = 0;
            BuildId id;
            if (find_build_id(start_of_file(line), id)) {
                visit(id, context);
            }
        }
    }
    os::close_file(maps);
}

}  // namespace hotlane::inspect
