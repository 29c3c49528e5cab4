# SPDX-License-Identifier: MIT
"""Makes the pointers in a section of an object file relative: a word then holds the distance from itself to its target.
The linker computes that, so the dynamic linker has nothing to do for these words when a process starts."""

import struct

SECTION_HEADER = "<IIQQQQIIQQ"
RELOCATION = "<QQq"
SYMBOL = "<IBBHQQ"
SHT_RELA = 4
SHN_UNDEF = 0

# By the machine of the ELF header: the relocation of an absolute 64-bit word, and that of a relative one.
TYPES = {62: (1, 24),  # x86-64: R_X86_64_64, R_X86_64_PC64
         183: (257, 260)}  # aarch64: R_AARCH64_ABS64, R_AARCH64_PREL64


def sections_of(data):
    (start,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from(SECTION_HEADER, data, start + number * size) for number in range(count)]
    first_name = headers[names][4]

    def name_of(header):
        begin = first_name + header[0]
        return data[begin:data.index(b"\0", begin)].decode()

    return headers, [name_of(header) for header in headers]


def make_relative(path, section):
    """Changes the file. Returns the offsets in the section of the words that became relative: all words that pointed to
    something in the same file, or none if the processor has no such relocation."""
    data = bytearray(path.read_bytes())
    (machine,) = struct.unpack_from("<H", data, 0x12)
    if machine not in TYPES:
        return []
    absolute, relative = TYPES[machine]
    headers, names = sections_of(data)
    changed = []
    for _, kind, _, _, offset, size, link, target, _, _ in headers:
        if kind != SHT_RELA or names[target] != section:
            continue
        for place in range(offset, offset + size, struct.calcsize(RELOCATION)):
            word, info, addend = struct.unpack_from(RELOCATION, data, place)
            symbol, type_ = info >> 32, info & 0xFFFFFFFF
            defined_in = struct.unpack_from(SYMBOL, data, headers[link][4] + symbol * struct.calcsize(SYMBOL))[3]
            if type_ == absolute and defined_in != SHN_UNDEF:
                struct.pack_into(RELOCATION, data, place, word, symbol << 32 | relative, addend)
                changed.append(word)
    path.write_bytes(data)
    return sorted(changed)
