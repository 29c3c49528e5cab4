// SPDX-License-Identifier: MIT
//
// Slots between inaccessible pages, in one reservation, and the records beside it.
#include "guards/guard_pool.h"

#include "base/newest_frees.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

namespace {

constexpr auto kPattern = std::byte{0xC5};
/// The most bytes of pattern on each side of an object.
constexpr size_t kPatternBytes = 512;

void fill(const inspect::Extent& margin) {
    memset(pointer_to(margin.begin), static_cast<int>(kPattern), margin.end - margin.begin);
}

const std::byte* first_changed(const inspect::Extent& margin) {
    const auto* const begin = static_cast<const std::byte*>(pointer_to(margin.begin));
    const size_t bytes = margin.end - margin.begin;
    const std::byte* const end = begin + bytes;
    // All bytes are equal if the bytes equal themselves shifted by one. memcmp is faster than a search.
    if (bytes == 0 || (*begin == kPattern && memcmp(begin, begin + 1, bytes - 1) == 0)) {
        return nullptr;
    }
    const std::byte* const found = std::find_if(begin, end, [](std::byte b) { return b != kPattern; });
    return found == end ? nullptr : found;
}

}  // namespace

bool GuardPool::set_up() {
    size_t bytes = os::page_size();
    for (Kind& kind : kinds_) {
        kind.first = static_cast<uint32_t>(&kind == kinds_ ? 0 : (&kind - 1)->first + (&kind - 1)->count);
        kind.begin = bytes;
        bytes += kind.count * kind.stride();
    }
    void* const slots = os::reserve(bytes, os::page_size());
    objects_ = slots == nullptr ? nullptr : static_cast<GuardedObject*>(os::map(kSlots * sizeof *objects_));
    if (objects_ == nullptr) {
        os::unreserve(slots, slots == nullptr ? 0 : bytes);
        return false;
    }
    extent_ = {.begin = address_of(slots), .end = address_of(slots) + bytes};
    for (Kind& kind : kinds_) {
        kind.begin += extent_.begin;
    }
    return true;
}

GuardPool::Kind& GuardPool::kind_of(uint32_t slot) {
    return *std::find_if(kinds_, kinds_ + kKinds - 1,
                         [slot](const Kind& kind) { return slot < kind.first + kind.count; });
}

inspect::Extent GuardPool::bounds(uint32_t slot) const {
    const Kind& kind = kind_of(slot);
    const uintptr_t begin = kind.begin + (slot - kind.first) * kind.stride();
    return {.begin = begin, .end = begin + kind.bytes()};
}

/// The slot in which the address lies. An address in a guard page belongs to the slot before that page; the
/// very first page belongs to the first slot.
uint32_t GuardPool::slot_around(uintptr_t address) const {
    for (uint32_t i = kKinds; i-- > 0;) {
        const Kind& kind = kinds_[i];
        if (address >= kind.begin) {
            return kind.first + static_cast<uint32_t>((address - kind.begin) / kind.stride());
        }
    }
    return 0;
}

bool GuardPool::make_accessible(uint32_t slot) {
    const inspect::Extent memory = bounds(slot);
    for (const uint32_t i : {slot, slot + 1}) {
        const uintptr_t page = i == slot ? memory.begin - os::page_size() : memory.end;
        opened_[i] = opened_[i] && !os::block(pointer_to(page), os::page_size());
    }
    return os::commit(pointer_to(memory.begin), memory.end - memory.begin);
}

GuardedObject* GuardPool::take(size_t size, size_t alignment, Place place) {
    size = std::max<size_t>(size, 1);
    const size_t bytes = round_up(size, alignment);
    Kind* const kind =
        std::find_if(kinds_, kinds_ + kKinds, [bytes](const Kind& k) { return bytes <= k.bytes(); });
    if (extent_.end == 0 || kind == kinds_ + kKinds || alignment > os::page_size()) {
        return nullptr;
    }
    const bool fresh = kind->used < kind->count;
    const uint32_t slot = fresh ? kind->first + kind->used : kind->oldest;
    if (slot == kNoSlot || !make_accessible(slot)) {
        return nullptr;
    }
    GuardedObject& object = objects_[slot];
    if (fresh) {
        ++kind->used;
    } else {
        kind->oldest = object.next;
        --freed_;
    }
    ++live_;
    const inspect::Extent memory = bounds(slot);
    object = {.begin = place == Place::left ? memory.begin : memory.end - bytes,
              .size = size,
              .next = kNoSlot,
              .state = GuardedObject::State::live,
              .tracked = false,
              .reported = false,
              .expected = false,
              .allocated = {},
              .freed = {}};
    const Margins beside = margins(object);
    fill(beside.before);
    fill(beside.after);
    return &object;
}

void GuardPool::put_back(GuardedObject& object) {
    const uint32_t slot = slot_of(object);
    Kind& kind = kind_of(slot);
    const inspect::Extent memory = bounds(slot);
    object.state = GuardedObject::State::freed;
    // If the system refuses, accesses to this object after its free are not detected.
    (void)os::block(pointer_to(memory.begin), memory.end - memory.begin);
    append(kind, slot);
    --live_;
    ++freed_;
}

/// Appends the slot to the queue of freed slots.
void GuardPool::append(Kind& kind, uint32_t slot) {
    objects_[slot].next = kNoSlot;
    (kind.oldest == kNoSlot ? kind.oldest : objects_[kind.newest].next) = slot;
    kind.newest = slot;
}

void GuardPool::expect_frees_again(uint32_t thread) {
    for (Kind& kind : kinds_) {
        size_t of_others = 0;
        for (uint32_t slot = kind.oldest; slot != kNoSlot; slot = objects_[slot].next) {
            of_others += objects_[slot].freed.thread != thread ? 1 : 0;
        }
        uint32_t slot = kind.oldest;
        kind.oldest = kind.newest = kNoSlot;
        while (slot != kNoSlot) {
            GuardedObject& object = objects_[slot];
            const uint32_t next = object.next;
            object.expected = object.freed.thread != thread && of_others-- <= NewestFrees::kOfAThread;
            if (!object.expected) {
                append(kind, slot);
            }
            slot = next;
        }
    }
}

bool GuardPool::forgive(const void* p) {
    const uint32_t slot = slot_around(address_of(p));
    GuardedObject& object = objects_[slot];
    if (!object.expected || object.begin != address_of(p)) {
        return false;
    }
    object.expected = false;
    append(kind_of(slot), slot);
    return true;
}

GuardedObject* GuardPool::find(const void* p) {
    GuardedObject& object = objects_[slot_around(address_of(p))];
    return object.state == GuardedObject::State::live && object.begin == address_of(p) ? &object : nullptr;
}

GuardedObject* GuardPool::find_around(uintptr_t address) {
    const uint32_t slot = slot_around(address);
    const auto used = [this](uint32_t i) {
        return i < kSlots && objects_[i].state != GuardedObject::State::unused;
    };
    if (used(slot) && bounds(slot).contains(address)) {
        return &objects_[slot];
    }
    // Unsigned subtraction: an object on the wrong side of the address seems far away.
    GuardedObject* nearest = nullptr;
    uintptr_t distance = UINTPTR_MAX;
    for (const uint32_t i : {slot - 1, slot, slot + 1}) {
        if (used(i)) {
            const GuardedObject& object = objects_[i];
            const uintptr_t to = std::min(address - object.end(), object.begin - address);
            if (to < distance) {
                distance = to;
                nearest = &objects_[i];
            }
        }
    }
    return nearest;
}

GuardPool::Margins GuardPool::margins(const GuardedObject& object) const {
    const inspect::Extent memory = bounds(slot_of(object));
    return {.before = {.begin = std::max(memory.begin, object.begin - kPatternBytes), .end = object.begin},
            .after = {.begin = object.end(), .end = std::min(memory.end, object.end() + kPatternBytes)}};
}

uintptr_t GuardPool::overwritten(const GuardedObject& object) const {
    const Margins beside = margins(object);
    const std::byte* const after = first_changed(beside.after);
    return address_of(after != nullptr ? after : first_changed(beside.before));
}

bool GuardPool::open_page(uintptr_t address) {
    const uintptr_t page = round_down(address, os::page_size());
    const uint32_t slot = slot_around(page);
    if (!bounds(slot).contains(page)) {
        opened_[page < bounds(slot).begin ? slot : slot + 1] = true;
    }
    return os::commit(pointer_to(page), os::page_size());
}

}  // namespace hotlane
