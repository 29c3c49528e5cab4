// SPDX-License-Identifier: MIT
//
// A hash table of names that only grows. A place is taken by an exchange of the first half of the name. The second
// half is stored afterwards, with a mark. Who finds the first half without the mark goes on to the next place, so that
// no thread waits for another, and a fork in between does no harm: one name may then have two numbers.
#include "profiler/tags/thread_names.h"

#include "platform/identity.h"

#include <atomic>
#include <bit>
#include <cstring>

namespace hotlane::thread_names {

namespace {

static_assert(std::endian::native == std::endian::little,
              "the last byte of a name is the highest of its half");
constexpr uint64_t kComplete = uint64_t{1} << 56;  // in the place of the terminating zero

struct Name {
    uint64_t first;
    uint64_t second;  // with kComplete
};

struct Place {
    std::atomic<uint64_t> first;
    std::atomic<uint64_t> second;
    char text[os::kThreadNameBytes];  // written before `second`
};
constinit Place places[kMostNames] = {};
constinit std::atomic<bool> some_are_others{false};

struct OwnName {
    uint32_t number;
    uint32_t calls;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local OwnName own{};

/// Whether the place has this name, after giving it the name if it is free.
bool take(Place& place, const Name& name, const char* text) {
    uint64_t first = 0;
    if (place.first.compare_exchange_strong(first, name.first, std::memory_order_relaxed)) {
        memcpy(place.text, text, sizeof place.text);
        // Pairs with the loads below and in name(): the text is complete.
        place.second.store(name.second, std::memory_order_release);
        return true;
    }
    return first == name.first && place.second.load(std::memory_order_acquire) == name.second;
}

uint32_t find_or_add(const char (&text)[os::kThreadNameBytes]) {
    constexpr uint32_t kMostTries = 64;
    constexpr uint64_t kMix = 0x9E3779B97F4A7C15;
    Name name{};
    memcpy(&name.first, text, sizeof name.first);
    memcpy(&name.second, text + sizeof name.first, sizeof name.second);
    if (name.first == 0) {
        return 0;
    }
    name.second |= kComplete;
    const uint64_t hash = (name.first ^ name.second * kMix) * kMix >> 32;
    for (uint32_t i = 0; i < kMostTries; ++i) {
        const auto at = static_cast<uint32_t>((hash + i) % kMostNames);
        if (take(places[at], name, text)) {
            return at + 1;
        }
    }
    some_are_others.store(true, std::memory_order_relaxed);
    return kOthers;
}

}  // namespace

uint32_t number_of_this_thread() {
    constexpr uint32_t kReadEvery = 64;
    const uint32_t call = ++own.calls;
    if ((call & (call - 1)) == 0 || call % kReadEvery == 0) {
        char text[os::kThreadNameBytes] = {};
        os::thread_name(text);
        const size_t length = strlen(text);
        memset(text + length, 0, sizeof text - length);
        own.number = find_or_add(text);
    }
    return own.number;
}

const char* name(uint32_t number) {
    if (number == kOthers) {
        return some_are_others.load(std::memory_order_relaxed) ? "(others)" : "";
    }
    const bool is_complete =
        number != 0 && number <= kMostNames && places[number - 1].second.load(std::memory_order_acquire) != 0;
    return is_complete ? places[number - 1].text : "";
}

}  // namespace hotlane::thread_names
