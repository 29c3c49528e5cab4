// SPDX-License-Identifier: MIT
//
// Finds the note with the build-id in the start of an ELF file in memory.
#include "profiler/stack/build_ids.h"

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

}  // namespace

bool find_build_id(const Mapping& start, BuildId& id) {
    constexpr unsigned kMostSegments = 64;
    const Extent& range = start.range;
    Header header;
    const size_t size = range.end - range.begin;
    if (!start.readable || start.offset != 0 || start.path[0] != '/' || size < sizeof header ||
        !read_memory(range.begin, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_phentsize != sizeof(Segment) || header.e_phoff > size) {
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

}  // namespace hotlane::inspect
