// SPDX-License-Identifier: MIT
//
// Looks functions up in the symbol table of libc.so, by its GNU hash table. dlsym would find an interposing definition
// first, takes a lock of the dynamic linker, and may allocate.
#include "platform/libc/own_functions.h"

#include "platform/libc/shared_libc.h"

#include <cstring>
#include <elf.h>
#include <gnu/libc-version.h>
#include <link.h>

namespace hotlane::libc {

// The sanitizers have to see which memory is mapped, so their definitions are called.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

/// The tables of a loaded library, as its dynamic section tells their addresses.
struct SymbolTable {
    uintptr_t base = 0;
    const ElfW(Sym) * symbols = nullptr;
    const char* names = nullptr;
    const uint32_t* hash = nullptr;
    const ElfW(Versym) * versions = nullptr;
};

SymbolTable table_of(const link_map& library) {
    SymbolTable table{.base = library.l_addr};
    for (const ElfW(Dyn)* entry = library.l_ld; entry->d_tag != DT_NULL; ++entry) {
        // On most processors the dynamic linker has added the base already.
        const uintptr_t value = entry->d_un.d_ptr;
        const void* const p = pointer_to(value < table.base ? value + table.base : value);
        switch (entry->d_tag) {
        case DT_SYMTAB:
            table.symbols = static_cast<const ElfW(Sym)*>(p);
            break;
        case DT_STRTAB:
            table.names = static_cast<const char*>(p);
            break;
        case DT_GNU_HASH:
            table.hash = static_cast<const uint32_t*>(p);
            break;
        case DT_VERSYM:
            table.versions = static_cast<const ElfW(Versym)*>(p);
            break;
        default:
            break;
        }
    }
    return table;
}

uint32_t gnu_hash(const char* name) {
    uint32_t hash = 5381;
    for (; *name != '\0'; ++name) {
        hash = hash * 33 + static_cast<unsigned char>(*name);
    }
    return hash;
}

/// Whether symbol `index` is the function `name` in its default version.
bool is_function(const SymbolTable& table, uint32_t index, const char* name) {
    constexpr ElfW(Versym) kHidden = 0x8000;  // an old version
    const ElfW(Sym)& symbol = table.symbols[index];
    return symbol.st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC &&
           (table.versions[index] & kHidden) == 0 && strcmp(table.names + symbol.st_name, name) == 0;
}

/// The hash table: four counts, a filter of `filter_words` addresses, the first symbol of each bucket, and a hash for each
/// symbol from `first_symbol` on. The lowest bit of a hash tells whether its bucket ends.
void* find(const SymbolTable& table, const char* name) {
    const uint32_t buckets = table.hash[0];
    const uint32_t first_symbol = table.hash[1];
    const uint32_t filter_words = table.hash[2];
    const uint32_t* const bucket =
        table.hash + 4 + size_t{filter_words} * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t* const hashes = bucket + buckets;
    const uint32_t wanted = gnu_hash(name);
    uint32_t index = bucket[wanted % buckets];
    if (index < first_symbol) {
        return nullptr;  // the bucket is empty
    }
    for (;; ++index) {
        const uint32_t hash = hashes[index - first_symbol];
        if ((hash | 1) == (wanted | 1) && is_function(table, index, name)) {
            return pointer_to(table.base + table.symbols[index].st_value);
        }
        if ((hash & 1) != 0) {
            return nullptr;
        }
    }
}

}  // namespace

void* own_definition(const char* name) {
    dl_find_object libc{};
    if (!has_shared_libc() || _dl_find_object(reinterpret_cast<void*>(&gnu_get_libc_version), &libc) != 0 ||
        libc.dlfo_link_map == nullptr) {
        return nullptr;
    }
    const SymbolTable table = table_of(*libc.dlfo_link_map);
    const bool complete = table.symbols != nullptr && table.names != nullptr && table.hash != nullptr &&
                          table.versions != nullptr;
    return complete ? find(table, name) : nullptr;
}

#else

void* own_definition(const char*) { return nullptr; }

#endif

}  // namespace hotlane::libc
