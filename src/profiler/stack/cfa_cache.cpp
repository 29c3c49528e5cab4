// SPDX-License-Identifier: MIT
//
// Frame rules, read from .eh_frame and cached in a table of one word each.
//
// Unwind tables can describe frames in many ways (DWARF 5, 6.4), but nearly all code needs one: the canonical
// frame address (CFA) is sp or fp plus a constant, the return address lies below it, and fp is unchanged or
// saved at a constant distance from it. Frames of any other form have no rule here.
#include "profiler/stack/cfa_cache.h"

#include "platform/safe_read.h"
#include "profiler/stack/cfi_interpreter.h"
#include "profiler/stack/unwind_index.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <link.h>

namespace hotlane::frame_rules {

namespace {

/// A rule together with the code address that it is for, in one atomic word:
///   address / kSlots | kind 2 | CFA's distance 16 | distance of the saved fp 13      (distances in words)
/// The index of the slot supplies the rest of the address. 0: nothing learnt.
using Word = uint64_t;

enum class Kind : uint8_t { none, from_sp, from_fp, special };
/// Stored in place of the CFA's distance.
enum class Special : uint8_t {
    outermost,
    no_rule,
    no_table,  // mostly code generated at run time, which is assumed to keep frame pointers
};

constexpr unsigned kSlotBits = 14;
constexpr uint64_t kSlots = 1 << kSlotBits;
constexpr unsigned kSavedBits = 13;
constexpr unsigned kDistanceBits = 16;
constexpr unsigned kRuleBits = 2 + kDistanceBits + kSavedBits;
constexpr uintptr_t kAddressEnd = uintptr_t{1} << (64 - kRuleBits + kSlotBits);
constexpr size_t kWordBytes = sizeof(uintptr_t);

constinit std::atomic<Word> words[kSlots];
constinit std::atomic<FindTable> finder{nullptr};
constinit std::atomic<uint64_t> unloads{0};

/// Addresses with the same tag all have different slots.
std::atomic<Word>& slot_of(uintptr_t address) { return words[(address ^ (address >> kSlotBits)) % kSlots]; }

constexpr Word tagged(uintptr_t address, Kind kind, uint64_t distance, uint64_t saved) {
    return (address >> kSlotBits) << kRuleBits | static_cast<Word>(kind) << (kDistanceBits + kSavedBits) |
           distance << kSavedBits | saved;
}
constexpr Word tagged(uintptr_t address, Special special) {
    return tagged(address, Kind::special, static_cast<uint64_t>(special), 0);
}
constexpr bool is_for(Word word, uintptr_t address) {
    return word != 0 && word >> kRuleBits == address >> kSlotBits;
}
constexpr Kind kind_of(Word word) { return static_cast<Kind>(word >> (kDistanceBits + kSavedBits) & 3); }
constexpr uint64_t distance_of(Word word) { return word >> kSavedBits & ((1 << kDistanceBits) - 1); }
constexpr uint64_t saved_of(Word word) { return word & ((1 << kSavedBits) - 1); }

constexpr bool is(Word word, Special special) { return distance_of(word) == static_cast<uint64_t>(special); }

constexpr bool is_distance(int64_t bytes, unsigned bits) {
    return bytes >= 0 && bytes % int64_t{kWordBytes} == 0 && bytes / int64_t{kWordBytes} < int64_t{1} << bits;
}

/// The numbers of the registers in the tables (System V ABI for x86-64, figure 3.36).
constexpr uint64_t kFp = 6;
constexpr uint64_t kSp = 7;
constexpr uint64_t kReturnAddress = 16;

Word word_of(uintptr_t address, const unwind_table::Row& row) {
    using unwind_table::Saved;
    if (row.return_address.how == Saved::How::undefined) {
        return tagged(address, Special::outermost);
    }
    const bool simple =
        (row.cfa_register == kSp || row.cfa_register == kFp) && is_distance(row.cfa_offset, kDistanceBits) &&
        row.return_address.how == Saved::How::at_offset && row.return_address.offset == -int64_t{kWordBytes};
    const bool saved = row.frame_pointer.how == Saved::How::at_offset;
    if (!simple || row.frame_pointer.how == Saved::How::otherwise ||
        (saved && !is_distance(-row.frame_pointer.offset, kSavedBits))) {
        return tagged(address, Special::no_rule);
    }
    return tagged(address, row.cfa_register == kSp ? Kind::from_sp : Kind::from_fp,
                  static_cast<uint64_t>(row.cfa_offset) / kWordBytes,
                  saved ? static_cast<uint64_t>(-row.frame_pointer.offset) / kWordBytes : 0);
}

/// Code that was generated at run time has no table. Often the end of the function follows the call at once, as in
/// CPython's trampolines, which keep no frame pointer: "add $N, %rsp", "pop %rbp" (either may be missing), "ret". It
/// tells what lies on the stack.
Word rule_from_code(uintptr_t address) {
    constexpr unsigned char kAddToSp[] = {0x48, 0x83, 0xC4};
    constexpr unsigned char kPopFp = 0x5D;
    constexpr unsigned char kReturn = 0xC3;
    unsigned char code[sizeof kAddToSp + 3] = {};
    if (!inspect::read_memory(address + 1, code, sizeof code)) {
        return tagged(address, Special::no_table);
    }
    const unsigned char* at = code;
    uint64_t words = 1;  // the return address
    if (memcmp(at, kAddToSp, sizeof kAddToSp) == 0 &&
        is_distance(static_cast<int8_t>(at[sizeof kAddToSp]), 7)) {
        words += at[sizeof kAddToSp] / kWordBytes;
        at += sizeof kAddToSp + 1;
    }
    const bool saves_fp = *at == kPopFp;
    at += saves_fp ? 1 : 0;
    return *at == kReturn ? tagged(address, Kind::from_sp, words + (saves_fp ? 1 : 0), saves_fp ? 2 : 0)
                          : tagged(address, Special::no_table);
}

Word rule_from_tables(uintptr_t address, FindTable find) {
    struct {
        const void* text;
        const void* data;
        const void* function;
    } bases{};
    if (find == nullptr) {
        return tagged(address, Special::no_rule);
    }
    const void* entry = find(pointer_to(address), &bases);
    if (entry == nullptr) {
        return rule_from_code(address);
    }
    unwind_table::Row row;
    const bool read = unwind_table::read(entry, address - address_of(bases.function),
                                         {.frame_pointer = kFp, .return_address = kReturnAddress}, row);
    return read ? word_of(address, row) : tagged(address, Special::no_rule);
}

/// Clears the table after a library was unloaded, because other code may be mapped at its addresses.
void forget_if_unloaded() {
    unsigned long long count = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* context) {
            *static_cast<unsigned long long*>(context) = info->dlpi_subs;
            return 1;
        },
        &count);
    if (unloads.exchange(count, std::memory_order_relaxed) != count) {
        for (std::atomic<Word>& word : words) {
            word.store(0, std::memory_order_relaxed);
        }
    }
}

uintptr_t word_below(uintptr_t address, uintptr_t bytes) {
    return *static_cast<const uintptr_t*>(pointer_to(address - bytes));
}

/// Whether a frame that starts at `sp` can end at `cfa` and contain the saved fp.
bool is_end_of_frame(uintptr_t cfa, uintptr_t sp, uintptr_t saved_bytes) {
    const uintptr_t bytes = cfa - sp;  // huge when negative
    return bytes - kWordBytes <= kLargestFrame - kWordBytes && bytes >= saved_bytes && cfa % kWordBytes == 0;
}

}  // namespace

// Pairs with the acquire at the lookup: the code that the pointer leads to is loaded.
void set_up(FindTable find_table) { finder.store(find_table, std::memory_order_release); }

Stop follow(Walk& walk) {
    while (walk.count < walk.capacity && walk.at.pc != 0) {
        const Frame frame = walk.at;
        const uintptr_t address = frame.pc - 1;  // of the call
        const Word word = slot_of(address).load(std::memory_order_relaxed);
        if (!is_for(word, address)) [[unlikely]] {
            return address < kAddressEnd ? Stop::unseen : Stop::no_rule;
        }
        uintptr_t saved = saved_of(word) * kWordBytes;
        uintptr_t cfa =
            (kind_of(word) == Kind::from_sp ? frame.sp : frame.fp) + distance_of(word) * kWordBytes;
        bool outermost = false;
        if (kind_of(word) == Kind::special) [[unlikely]] {
            if (is(word, Special::no_rule)) {
                return Stop::no_rule;
            }
            saved = 2 * kWordBytes;
            cfa = frame.fp + saved;
            outermost = is(word, Special::outermost) || !is_end_of_frame(cfa, frame.sp, saved);
        } else if (!is_end_of_frame(cfa, frame.sp, saved)) [[unlikely]] {
            return Stop::no_rule;
        }
        if (cfa > walk.readable_end && !outermost) [[unlikely]] {
            walk.needed_end = cfa;
            walk.guessed = kind_of(word) == Kind::special;
            return Stop::beyond;
        }
        walk.frames[walk.count++] = frame.pc;
        if (outermost) [[unlikely]] {
            break;
        }
        walk.at = {.pc = word_below(cfa, kWordBytes),
                   .sp = cfa,
                   .fp = saved == 0 ? frame.fp : word_below(cfa, saved)};
    }
    return Stop::done;
}

void learn(uintptr_t pc) {
    forget_if_unloaded();
    const uintptr_t address = pc - 1;
    slot_of(address).store(rule_from_tables(address, finder.load(std::memory_order_acquire)),
                           std::memory_order_relaxed);
}

void learn_without_locks(uintptr_t pc) {
    const uintptr_t address = pc - 1;
    slot_of(address).store(rule_from_tables(address, unwind_index::find_entry), std::memory_order_relaxed);
}

}  // namespace hotlane::frame_rules
