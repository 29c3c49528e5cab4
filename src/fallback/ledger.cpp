// SPDX-License-Identifier: MIT
//
// The ledger's root and leaves; every access is one byte, atomic, and takes no lock.
// Must not know jemalloc, nor read a block.
// Called through ledger.h.
#include "fallback/ledger.h"

#include "base/os.h"

#include <algorithm>
#include <atomic>

namespace hotlane::ledger {

namespace {

constexpr size_t kLeafPages = (size_t{1} << kLeafBits) / kOsPageSize;
constexpr size_t kRootEntries = size_t{1} << (kAddressBits - kLeafBits);

constexpr uint8_t kMostShared = kOsPageSize / kSmallestBlock;
constexpr uint8_t kReleased = kMostShared + 1;
constexpr uint8_t kAlone = 128;
constexpr uint8_t kSampled = 64;
static_assert(kMostShared == 64, "an offset has six bits");

using PageByte = std::atomic<uint8_t>;
static_assert(sizeof(PageByte) == 1);

// A megabyte of zeroes of which a process touches a page or two. The bytes order nothing: whoever frees a
// block got the pointer from whoever allocated it, through something of the program's own that does.
std::atomic<PageByte*> root[kRootEntries];

size_t root_index(const void* p) { return address_of(p) >> kLeafBits; }

PageByte* page_byte(const void* p) {
    const size_t index = root_index(p);
    if (index >= kRootEntries) {
        return nullptr;
    }
    // Pairs with the exchange in page_byte_to_enter(): the leaf is mapped.
    PageByte* leaf = root[index].load(std::memory_order_acquire);
    return leaf == nullptr ? nullptr : leaf + (address_of(p) / kOsPageSize) % kLeafPages;
}

PageByte* page_byte_to_enter(const void* p) {
    if (PageByte* known = page_byte(p); known != nullptr) {
        return known;
    }
    const size_t index = root_index(p);
    if (index >= kRootEntries) {
        return nullptr;
    }
    auto* fresh = static_cast<PageByte*>(os::map(kLeafPages));
    if (fresh == nullptr) {
        return nullptr;
    }
    PageByte* expected = nullptr;
    // Pairs with the load in page_byte().
    if (!root[index].compare_exchange_strong(expected, fresh, std::memory_order_acq_rel)) {
        os::unmap(fresh, kLeafPages);  // another thread was first
    }
    return page_byte(p);
}

uint8_t offset_of(const void* p) {
    return static_cast<uint8_t>(address_of(p) % kOsPageSize / kSmallestBlock);
}

uint8_t alone_at(const void* p) { return kAlone | offset_of(p); }

/// There is one value too few for the 64 offsets: the last two share theirs.
uint8_t released_at(const void* p) {
    constexpr uint8_t kLastOffset = kAlone - kReleased - 1;
    return static_cast<uint8_t>(kReleased + std::min(offset_of(p), kLastOffset));
}

/// Whether the page's byte counts blocks that share it.
bool counts(uint8_t byte) { return byte > 0 && byte <= kMostShared; }

/// Whether the page's byte says that a live block begins at `p`.
bool begins(uint8_t byte, const void* p) {
    if (byte < kAlone) {
        return counts(byte);
    }
    return (byte & ~kSampled) == alone_at(p) && address_of(p) % kSmallestBlock == 0;
}

}  // namespace

bool enter_alone(const void* p) {
    PageByte* byte = page_byte_to_enter(p);
    if (byte == nullptr) {
        return false;
    }
    byte->store(alone_at(p), std::memory_order_relaxed);
    return true;
}

bool enter_shared(const void* p) {
    PageByte* byte = page_byte_to_enter(p);
    if (byte == nullptr) {
        return false;
    }
    uint8_t seen = byte->load(std::memory_order_relaxed);
    uint8_t with = 0;
    do {
        with = counts(seen) ? static_cast<uint8_t>(seen + 1) : uint8_t{1};
    } while (!byte->compare_exchange_weak(seen, with, std::memory_order_relaxed));
    return true;
}

bool strike(const void* p) {
    PageByte* byte = page_byte(p);
    if (byte == nullptr) {
        return false;
    }
    uint8_t seen = byte->load(std::memory_order_relaxed);
    while (begins(seen, p)) {
        const bool leaves_others = counts(seen) && seen > 1;
        const uint8_t without = leaves_others ? static_cast<uint8_t>(seen - 1) : released_at(p);
        if (byte->compare_exchange_weak(seen, without, std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

bool contains(const void* p) {
    const PageByte* byte = page_byte(p);
    return byte != nullptr && begins(byte->load(std::memory_order_relaxed), p);
}

bool released(const void* p) {
    const PageByte* byte = page_byte(p);
    return byte != nullptr && byte->load(std::memory_order_relaxed) == released_at(p);
}

void mark_sampled(const void* p) {
    PageByte* byte = page_byte(p);
    HOTLANE_CHECK(byte != nullptr && byte->load(std::memory_order_relaxed) >= kAlone);
    byte->fetch_or(kSampled, std::memory_order_relaxed);
}

void unmark_sampled(const void* p) {
    page_byte(p)->fetch_and(static_cast<uint8_t>(~kSampled), std::memory_order_relaxed);
}

bool sampled(const void* p) {
    const PageByte* byte = page_byte(p);
    if (byte == nullptr) {
        return false;
    }
    const uint8_t seen = byte->load(std::memory_order_relaxed);
    return seen >= kAlone && (seen & kSampled) != 0 && begins(seen, p);
}

}  // namespace hotlane::ledger
