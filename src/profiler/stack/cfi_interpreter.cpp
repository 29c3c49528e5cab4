// SPDX-License-Identifier: MIT
//
// The interpreter of call frame instructions.
#include "profiler/stack/cfi_interpreter.h"

#include <cstring>

namespace hotlane::unwind_table {

namespace {

// Names as in the DWARF 5 standard (6.4.2, 7.24) and in the Linux Standard Base (10.5).
// NOLINTBEGIN(readability-identifier-naming)

/// Call frame instructions. The first three keep their operand in the low six bits.
enum CallFrameInstruction : uint8_t {
    DW_CFA_advance_loc = 0x40,
    DW_CFA_offset = 0x80,
    DW_CFA_restore = 0xC0,
    DW_CFA_nop = 0x00,
    DW_CFA_advance_loc1 = 0x02,
    DW_CFA_advance_loc2 = 0x03,
    DW_CFA_advance_loc4 = 0x04,
    DW_CFA_offset_extended = 0x05,
    DW_CFA_restore_extended = 0x06,
    DW_CFA_undefined = 0x07,
    DW_CFA_same_value = 0x08,
    DW_CFA_register = 0x09,
    DW_CFA_remember_state = 0x0A,
    DW_CFA_restore_state = 0x0B,
    DW_CFA_def_cfa = 0x0C,
    DW_CFA_def_cfa_register = 0x0D,
    DW_CFA_def_cfa_offset = 0x0E,
    DW_CFA_expression = 0x10,
    DW_CFA_offset_extended_sf = 0x11,
    DW_CFA_val_offset = 0x14,
    DW_CFA_val_expression = 0x16,
    DW_CFA_GNU_args_size = 0x2E,
};
constexpr uint8_t kPrimaryOpcode = 0xC0;
constexpr uint8_t kPrimaryOperand = 0x3F;

/// Encodings of pointers. The low three bits are the format, in which signed and unsigned numbers have one
/// length.
enum PointerEncoding : uint8_t {
    DW_EH_PE_absptr = 0x00,
    DW_EH_PE_udata2 = 0x02,
    DW_EH_PE_udata4 = 0x03,
    DW_EH_PE_udata8 = 0x04,
    DW_EH_PE_aligned = 0x50,
};
constexpr uint8_t kPointerFormat = 0x07;
// NOLINTEND(readability-identifier-naming)

/// Reads forward. Past the end every read returns 0.
struct Cursor {
    const uint8_t* at;
    const uint8_t* end;

    bool done() const { return at >= end; }
    void skip(uint64_t bytes) { at = bytes < static_cast<uint64_t>(end - at) ? at + bytes : end; }
    uint8_t byte() { return done() ? uint8_t{0} : *at++; }

    template <typename T>
    T number() {
        T value = 0;
        if (static_cast<size_t>(end - at) >= sizeof value) {
            memcpy(&value, at, sizeof value);
        }
        skip(sizeof value);
        return value;
    }

    uint64_t uleb() {
        uint64_t value = 0;
        for (unsigned shift = 0; !done(); shift += 7) {
            const uint64_t next = byte();
            value |= shift < 64 ? (next & 0x7F) << shift : 0;
            if ((next & 0x80) == 0) {
                break;
            }
        }
        return value;
    }
    int64_t sleb() {
        uint64_t value = 0;
        unsigned shift = 0;
        uint64_t next = 0x80;
        while ((next & 0x80) != 0 && !done()) {
            next = byte();
            value |= shift < 64 ? (next & 0x7F) << shift : 0;
            shift += 7;
        }
        if ((next & 0x40) != 0 && shift < 64) {
            value |= ~uint64_t{0} << shift;
        }
        return static_cast<int64_t>(value);
    }
};

/// A cursor at the contents of an entry, after its length.
Cursor open(const uint8_t* entry) {
    Cursor cursor{.at = entry, .end = entry + sizeof(uint32_t)};
    const auto length = cursor.number<uint32_t>();
    constexpr uint32_t kLongForm = 0xFFFFFFFF;
    cursor.end = cursor.at + (length == kLongForm ? 0 : length);
    return cursor;
}

/// The size of a pointer in this encoding, bytes; 0 if it is not fixed.
size_t pointer_bytes(uint8_t encoding) {
    if (encoding == DW_EH_PE_aligned) {
        return 0;
    }
    switch (encoding & kPointerFormat) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
        return 8;
    case DW_EH_PE_udata2:
        return 2;
    case DW_EH_PE_udata4:
        return 4;
    default:
        return 0;
    }
}

/// What the entries of one compilation unit have in common (CIE).
struct Common {
    Cursor instructions;
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t pointer_encoding = 0;
    bool has_augmentation = false;
};

bool read_augmentation(const char* letters, Cursor cursor, Common& common) {
    for (; *letters != '\0'; ++letters) {
        switch (*letters) {
        case 'R':
            common.pointer_encoding = cursor.byte();
            break;
        case 'L':
            cursor.byte();
            break;
        case 'P': {
            const size_t bytes = pointer_bytes(cursor.byte());
            if (bytes == 0) {
                return false;
            }
            cursor.skip(bytes);
            break;
        }
        default:  // 'S': a signal frame, whose pc is not a return address
            return false;
        }
    }
    return true;
}

bool read_common(const uint8_t* entry, uint64_t return_address, Common& common) {
    Cursor cursor = open(entry);
    cursor.skip(sizeof(uint32_t));  // the CIE id
    const uint8_t version = cursor.byte();
    if (version != 1 && version != 3) {
        return false;
    }
    const auto* letters = reinterpret_cast<const char*>(cursor.at);
    cursor.skip(strnlen(letters, static_cast<size_t>(cursor.end - cursor.at)) + 1);
    if (cursor.done()) {
        return false;  // the string of letters may be unterminated
    }
    common.code_factor = cursor.uleb();
    common.data_factor = cursor.sleb();
    const uint64_t column = version == 1 ? cursor.byte() : cursor.uleb();
    if (*letters == 'z') {
        common.has_augmentation = true;
        const uint64_t bytes = cursor.uleb();
        if (!read_augmentation(letters + 1, cursor, common)) {
            return false;
        }
        cursor.skip(bytes);
    } else if (*letters != '\0') {
        return false;
    }
    common.instructions = cursor;
    return column == return_address;
}

class Interpreter {
  public:
    Interpreter(const Common& common, Registers wanted) : common_{common}, wanted_{wanted} {}

    /// Executes instructions up to the row of `target`. Returns false at an instruction that is not supported
    /// here.
    bool run(Cursor cursor, uint64_t target) {
        while (!cursor.done()) {
            const uint8_t byte = cursor.byte();
            const uint8_t operand = byte & kPrimaryOperand;
            switch (byte & kPrimaryOpcode) {
            case DW_CFA_advance_loc:
                at_ += operand * common_.code_factor;
                break;
            case DW_CFA_offset:
                set(operand, Saved::How::at_offset, scaled(cursor.uleb()));
                break;
            case DW_CFA_restore:
                restore(operand);
                break;
            default:
                if (!run_extended(operand, cursor)) {
                    return false;
                }
            }
            if (at_ > target) {
                break;
            }
            row = next_;
        }
        return true;
    }
    void keep_as_initial() { initial_ = row; }

    Row row;

  private:
    /// Wraps around on overflow, whatever the table contains.
    int64_t scaled(uint64_t factored) const {
        return static_cast<int64_t>(factored * static_cast<uint64_t>(common_.data_factor));
    }

    Saved* find(Row& of, uint64_t number) const {
        return number == wanted_.frame_pointer    ? &of.frame_pointer
               : number == wanted_.return_address ? &of.return_address
                                                  : nullptr;
    }
    void set(uint64_t number, Saved::How how, int64_t offset = 0) {
        if (Saved* saved = find(next_, number)) {
            *saved = {.how = how, .offset = offset};
        }
    }
    void restore(uint64_t number) {
        if (Saved* saved = find(next_, number)) {
            *saved = *find(initial_, number);
        }
    }

    bool run_extended(uint8_t operation, Cursor& cursor);
    bool remember();
    bool recall();

    static constexpr size_t kMostRemembered = 4;

    const Common& common_;
    Registers wanted_;
    uint64_t at_ = 0;  // offset of the code that next_ is for
    Row next_;
    Row initial_;
    Row remembered_[kMostRemembered];
    size_t remembered_count_ = 0;
};

bool Interpreter::remember() {
    if (remembered_count_ == kMostRemembered) {
        return false;
    }
    remembered_[remembered_count_++] = next_;
    return true;
}

bool Interpreter::recall() {
    if (remembered_count_ == 0) {
        return false;
    }
    next_ = remembered_[--remembered_count_];
    return true;
}

bool Interpreter::run_extended(uint8_t operation, Cursor& cursor) {
    switch (operation) {
    case DW_CFA_nop:
        return true;
    case DW_CFA_advance_loc1:
        at_ += cursor.number<uint8_t>() * common_.code_factor;
        return true;
    case DW_CFA_advance_loc2:
        at_ += cursor.number<uint16_t>() * common_.code_factor;
        return true;
    case DW_CFA_advance_loc4:
        at_ += cursor.number<uint32_t>() * common_.code_factor;
        return true;
    case DW_CFA_offset_extended: {
        const uint64_t number = cursor.uleb();
        set(number, Saved::How::at_offset, scaled(cursor.uleb()));
        return true;
    }
    case DW_CFA_restore_extended:
        restore(cursor.uleb());
        return true;
    case DW_CFA_undefined:
        set(cursor.uleb(), Saved::How::undefined);
        return true;
    case DW_CFA_same_value:
        set(cursor.uleb(), Saved::How::unchanged);
        return true;
    case DW_CFA_register:
        set(cursor.uleb(), Saved::How::otherwise);
        cursor.uleb();
        return true;
    case DW_CFA_remember_state:
        return remember();
    case DW_CFA_restore_state:
        return recall();
    case DW_CFA_def_cfa:
        next_.cfa_register = cursor.uleb();
        next_.cfa_offset = static_cast<int64_t>(cursor.uleb());
        return true;
    case DW_CFA_def_cfa_register:
        next_.cfa_register = cursor.uleb();
        return true;
    case DW_CFA_def_cfa_offset:
        next_.cfa_offset = static_cast<int64_t>(cursor.uleb());
        return true;
    case DW_CFA_expression:
    case DW_CFA_val_expression: {
        set(cursor.uleb(), Saved::How::otherwise);
        cursor.skip(cursor.uleb());
        return true;
    }
    case DW_CFA_offset_extended_sf: {
        const uint64_t number = cursor.uleb();
        set(number, Saved::How::at_offset, scaled(static_cast<uint64_t>(cursor.sleb())));
        return true;
    }
    case DW_CFA_val_offset:
        set(cursor.uleb(), Saved::How::otherwise);
        cursor.uleb();
        return true;
    case DW_CFA_GNU_args_size:
        cursor.uleb();
        return true;
    default:  // set_loc, def_cfa_expression, and others that are rare
        return false;
    }
}

}  // namespace

bool read(const void* entry, uintptr_t offset, Registers wanted, Row& row) {
    Cursor cursor = open(static_cast<const uint8_t*>(entry));
    const uint8_t* const distance_at = cursor.at;
    Common common{};
    if (!read_common(distance_at - cursor.number<uint32_t>(), wanted.return_address, common)) {
        return false;
    }
    const size_t bytes = pointer_bytes(common.pointer_encoding);
    if (bytes == 0) {
        return false;
    }
    cursor.skip(2 * bytes);  // start and length of the function
    if (common.has_augmentation) {
        cursor.skip(cursor.uleb());
    }
    Interpreter interpreter(common, wanted);
    if (!interpreter.run(common.instructions, 0)) {
        return false;
    }
    interpreter.keep_as_initial();
    const bool run = interpreter.run(cursor, offset);
    row = interpreter.row;
    return run;
}

}  // namespace hotlane::unwind_table
