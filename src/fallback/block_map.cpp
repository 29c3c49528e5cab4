// SPDX-License-Identifier: MIT
//
// The block map's root and leaves. Every access is one atomic access to a byte and takes no lock.
#include "fallback/block_map.h"

#include "platform/os.h"

#include <algorithm>
#include <atomic>

namespace hotlane::block_map {

namespace {

constexpr size_t kLeafPages = (size_t{1} << kLeafBits) / kSmallestOsPage;
constexpr size_t kRootEntries = size_t{1} << (kAddressBits - kLeafBits);

constexpr uint8_t kMostShared = kSmallestOsPage / kSmallestBlock;
constexpr uint8_t kReleased = kMostShared + 1;
constexpr uint8_t kAlone = 128;
constexpr uint8_t kSampled = 64;
static_assert(kMostShared == 64, "an offset has six bits");

using PageByte = std::atomic<uint8_t>;
static_assert(sizeof(PageByte) == 1);

using Leaf = std::atomic<PageByte*>;

// The root, a table of leaves, takes one megabyte, of which a process touches a page or two. It is mapped for
// the first block. The accesses to the bytes are relaxed: the thread that frees a block got the pointer from
// the thread that allocated it, and the program's own synchronisation orders the two.
std::atomic<Leaf*> root{nullptr};
constexpr size_t kRootBytes = kRootEntries * sizeof(Leaf);

size_t root_index(const void* p) { return address_of(p) >> kLeafBits; }

PageByte* page_byte(const void* p) {
    const size_t index = root_index(p);
    // Both loads pair with the exchange in mapped_at(): the memory that the pointers refer to is mapped.
    Leaf* const leaves = root.load(std::memory_order_acquire);
    if (index >= kRootEntries || leaves == nullptr) {
        return nullptr;
    }
    PageByte* leaf = leaves[index].load(std::memory_order_acquire);
    return leaf == nullptr ? nullptr : leaf + (address_of(p) / kSmallestOsPage) % kLeafPages;
}

/// Returns what `place` points to, and maps it on first use. Null if there is no memory for it.
template <class T>
T* mapped_at(std::atomic<T*>& place, size_t bytes) {
    // Pairs with the exchange below, made by another thread.
    T* known = place.load(std::memory_order_acquire);
    if (known != nullptr) {
        return known;
    }
    auto* fresh = static_cast<T*>(os::map(bytes));
    if (fresh == nullptr || place.compare_exchange_strong(known, fresh, std::memory_order_acq_rel)) {
        return fresh;
    }
    os::unmap(fresh, bytes);  // another thread was first
    return known;
}

PageByte* page_byte_to_enter(const void* p) {
    if (PageByte* known = page_byte(p); known != nullptr) {
        return known;
    }
    const size_t index = root_index(p);
    Leaf* const leaves = index < kRootEntries ? mapped_at(root, kRootBytes) : nullptr;
    return leaves != nullptr && mapped_at(leaves[index], kLeafPages) != nullptr ? page_byte(p) : nullptr;
}

uint8_t offset_of(const void* p) {
    return static_cast<uint8_t>(address_of(p) % kSmallestOsPage / kSmallestBlock);
}

uint8_t alone_at(const void* p) { return kAlone | offset_of(p); }

/// There are only 63 values for the 64 offsets, so the last two offsets share one.
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

bool insert_exclusive(const void* p) {
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

bool erase(const void* p) {
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

}  // namespace hotlane::block_map
