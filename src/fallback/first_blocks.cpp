// SPDX-License-Identifier: MIT
#include "fallback/first_blocks.h"

#include "diagnostics/misuse.h"
#include "page_heap/region.h"
#include "platform/os.h"

#include <atomic>
#include <cstring>

namespace hotlane::first_blocks {

namespace {

struct Block {
    std::atomic<void*> begin{nullptr};  // null: not taken yet, or freed
    size_t bytes = 0;
};
constinit Block blocks[kCount];
constinit std::atomic<size_t> taken{0};  // places of `blocks`; none is taken twice

Block* find(const void* p) {
    for (Block& block : blocks) {
        // Pairs with the store in take(): who knows the block also sees its size.
        if (block.begin.load(std::memory_order_acquire) == p) {
            return &block;
        }
    }
    return nullptr;
}

}  // namespace

void* take(size_t bytes, size_t alignment, bool zeroed) {
    if (bytes <= kLargestSmall || bytes > kLargest || alignment > kRegionPageSize || locks_are_lost() ||
        taken.load(std::memory_order_relaxed) >= kCount) {
        return nullptr;
    }
    const size_t place = taken.fetch_add(1, std::memory_order_relaxed);
    if (place >= kCount) {
        return nullptr;
    }
    bytes = round_up(bytes, os::page_size());
    bool fresh = false;
    void* p = region.take_block(bytes, alignment, &fresh);
    if (p == nullptr) {
        return nullptr;
    }
    if (zeroed && !fresh) {
        memset(p, 0, bytes);
    }
    blocks[place].bytes = bytes;
    blocks[place].begin.store(p, std::memory_order_release);
    return p;
}

bool put_back(void* p) {
    Block* const block = find(p);
    if (block == nullptr) {
        return false;
    }
    // The entry goes first: once the region has the pages, another block may begin there.
    const size_t bytes = block->bytes;
    block->begin.store(nullptr, std::memory_order_relaxed);
    if (!locks_are_lost()) {
        region.put_back_block(p, bytes, tick_at(os::coarse_ns()));
    }
    return true;
}

size_t usable_size(const void* p) {
    const Block* const block = find(p);
    return block == nullptr ? 0 : block->bytes;
}

size_t live_bytes() {
    size_t sum = 0;
    for (const Block& block : blocks) {
        sum += block.begin.load(std::memory_order_acquire) == nullptr ? 0 : block.bytes;
    }
    return sum;
}

}  // namespace hotlane::first_blocks
