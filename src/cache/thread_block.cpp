// SPDX-License-Identifier: MIT
//
// What a thread's record of a class says, and how the class is emptied.
// Knows nothing of the fallback or of options.
// Used by thread_cache.cpp and threads.cpp.
#include "cache/thread_block.h"

#include "depot/depot.h"

namespace hotlane {

namespace {
constexpr uint64_t kCountMask = (uint64_t{1} << 48) - 1;
}

uint64_t ThreadBlock::hits(ClassIndex c) const {
    const uint64_t counted = word::pops(word::load(cache->words[c])) - records[c].preset;
    return records[c].hits_before + (counted & kCountMask);
}

void ThreadBlock::add_to(ClassStats& stats, ClassIndex c) const {
    const ClassRecord& record = records[c];
    // One reading of the word serves level and hits: the owner may be running.
    const uint64_t w = word::load(cache->words[c]);
    const uint64_t hits_now = record.hits_before + ((word::pops(w) - record.preset) & kCountMask);
    const uint64_t level_now = record.floor == 0 ? 0 : word::top(w) - record.floor - 1;
    stats.hits += hits_now;
    stats.misses += record.misses;
    stats.puts += level_now + hits_now + record.flushed - record.refilled;
    stats.refills += record.refills;
    stats.flushes += record.flushes;
}

void ThreadBlock::preset_trigger(ClassIndex c, uint64_t k) {
    ClassRecord& record = records[c];
    uint64_t& w = cache->words[c];
    record.hits_before = hits(c);
    record.preset = kCountMask + 1 - k;
    word::store(w, record.preset << word::kTopBits | word::top(word::load(w)));
}

void ThreadBlock::flush_all(ClassIndex c) {
    ClassRecord& record = records[c];
    if (record.floor == 0) {
        return;
    }
    settle_limbo(c);
    const uint32_t count = level(c);
    if (count != 0) {
        depots[c].put_back(slots + record.floor + 1, count);
        ++record.flushes;
        record.flushed += count;
    }
    record.hits_before = hits(c);
    record.preset = 0;
    record.floor = 0;
    word::store(cache->words[c], 0);
}

void ThreadBlock::settle_limbo(ClassIndex c) {
    ClassRecord& record = records[c];
    if (record.limbo == nullptr) {
        return;
    }
    // The slot is empty and still below top: the owner never got the object, so it goes back where it was.
    // Else the owner popped it before it was taken (and may have pushed another since).
    void** slot = slots + record.limbo_slot;
    if (word::top(word::load(cache->words[c])) > record.limbo_slot && word::load_slot(slot) == nullptr) {
        word::store_slot(slot, record.limbo);
    }
    record.limbo = nullptr;
}

}  // namespace hotlane
