// SPDX-License-Identifier: MIT
//
// The interpreter of call frame instructions.
#include "profiler/stack/cfi_interpreter.h"

#include <cstring>

namespace hotlane::unwind_table {

namespace {

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
    constexpr uint8_t kAligned = 0x50;
    if (encoding == kAligned) {
        return 0;
    }
    switch (encoding & 0x07) {
    case 0:  // absptr
    case 4:  // data8
        return 8;
    case 2:
        return 2;
    case 3:
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
            const uint8_t operand = byte & 0x3F;
            switch (byte & 0xC0) {
            case 0x40:
                at_ += operand * common_.code_factor;
                break;
            case 0x80:
                set(operand, Saved::How::at_offset, scaled(cursor.uleb()));
                break;
            case 0xC0:
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
    case 0x00:  // nop
        return true;
    case 0x02:  // advance_loc1
        at_ += cursor.number<uint8_t>() * common_.code_factor;
        return true;
    case 0x03:  // advance_loc2
        at_ += cursor.number<uint16_t>() * common_.code_factor;
        return true;
    case 0x04:  // advance_loc4
        at_ += cursor.number<uint32_t>() * common_.code_factor;
        return true;
    case 0x05: {  // offset_extended
        const uint64_t number = cursor.uleb();
        set(number, Saved::How::at_offset, scaled(cursor.uleb()));
        return true;
    }
    case 0x06:  // restore_extended
        restore(cursor.uleb());
        return true;
    case 0x07:  // undefined
        set(cursor.uleb(), Saved::How::undefined);
        return true;
    case 0x08:  // same_value
        set(cursor.uleb(), Saved::How::unchanged);
        return true;
    case 0x09:  // register
        set(cursor.uleb(), Saved::How::otherwise);
        cursor.uleb();
        return true;
    case 0x0A:
        return remember();
    case 0x0B:
        return recall();
    case 0x0C:  // def_cfa
        next_.cfa_register = cursor.uleb();
        next_.cfa_offset = static_cast<int64_t>(cursor.uleb());
        return true;
    case 0x0D:  // def_cfa_register
        next_.cfa_register = cursor.uleb();
        return true;
    case 0x0E:  // def_cfa_offset
        next_.cfa_offset = static_cast<int64_t>(cursor.uleb());
        return true;
    case 0x10:    // expression
    case 0x16: {  // val_expression
        set(cursor.uleb(), Saved::How::otherwise);
        cursor.skip(cursor.uleb());
        return true;
    }
    case 0x11: {  // offset_extended_sf
        const uint64_t number = cursor.uleb();
        set(number, Saved::How::at_offset, scaled(static_cast<uint64_t>(cursor.sleb())));
        return true;
    }
    case 0x14:  // val_offset
        set(cursor.uleb(), Saved::How::otherwise);
        cursor.uleb();
        return true;
    case 0x2E:  // GNU_args_size
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
