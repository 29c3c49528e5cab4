// SPDX-License-Identifier: MIT
// A key-value store with LRU eviction. The record of an entry, its key and its value are separate objects
// that live until newer entries push them out. So lifetimes are long, and objects are not freed in the order
// of their allocation.
#include "common/workload.h"

#include <vector>

namespace {

constexpr std::size_t kBuckets = 1U << 17;

struct Entry {
    Entry* chain;
    Entry* newer;
    Entry* older;
    char* key;
    char* value;
    std::size_t key_bytes;
    std::size_t value_bytes;
    std::uint64_t hash;
};

struct Key {
    char text[64];
    std::size_t bytes;
    std::uint64_t hash;

    explicit Key(std::uint64_t id) {
        bytes = static_cast<std::size_t>(
            std::snprintf(text, sizeof text, "user:%08llx:session", static_cast<unsigned long long>(id)));
        hash = id * 0x9E3779B97F4A7C15ULL;
    }
};

// Invariant: used_ is the sum of the bytes of all entries on the list from newest_ to oldest_, at most
// budget_.
class Store {
  public:
    explicit Store(std::size_t budget) : budget_(budget), buckets_(kBuckets, nullptr) {}

    Entry* find(const Key& key) {
        for (Entry* entry = bucket(key.hash); entry != nullptr; entry = entry->chain) {
            if (entry->hash == key.hash && std::memcmp(entry->key, key.text, key.bytes) == 0) {
                unlink(entry);
                push_newest(entry);
                return entry;
            }
        }
        return nullptr;
    }

    void set(const Key& key, std::size_t value_bytes) {
        Entry* entry = find(key);
        if (entry != nullptr) {
            used_ -= entry->value_bytes;
            bench::release_stamped(entry->value, entry->value_bytes);
        } else {
            entry = insert(key);
        }
        entry->value = static_cast<char*>(bench::take_stamped(value_bytes));
        entry->value_bytes = value_bytes;
        used_ += value_bytes;
        while (used_ > budget_) {
            evict(oldest_);
        }
    }

    void clear() {
        while (oldest_ != nullptr) {
            evict(oldest_);
        }
    }

    std::uint64_t evictions() const { return evictions_; }

  private:
    Entry*& bucket(std::uint64_t hash) { return buckets_[hash >> (64 - 17)]; }

    Entry* insert(const Key& key) {
        auto* entry = static_cast<Entry*>(bench::take(sizeof(Entry)));
        *entry = {bucket(key.hash), nullptr,   nullptr, static_cast<char*>(bench::take(key.bytes)),
                  nullptr,          key.bytes, 0,       key.hash};
        std::memcpy(entry->key, key.text, key.bytes);
        bucket(key.hash) = entry;
        push_newest(entry);
        used_ += sizeof(Entry) + key.bytes;
        return entry;
    }

    void evict(Entry* entry) {
        Entry** link = &bucket(entry->hash);
        while (*link != entry) {
            link = &(*link)->chain;
        }
        *link = entry->chain;
        unlink(entry);
        used_ -= sizeof(Entry) + entry->key_bytes + entry->value_bytes;
        bench::release_stamped(entry->value, entry->value_bytes);
        std::free(entry->key);
        std::free(entry);
        ++evictions_;
    }

    void push_newest(Entry* entry) {
        entry->newer = nullptr;
        entry->older = newest_;
        (newest_ != nullptr ? newest_->newer : oldest_) = entry;
        newest_ = entry;
    }

    void unlink(Entry* entry) {
        (entry->newer != nullptr ? entry->newer->older : newest_) = entry->older;
        (entry->older != nullptr ? entry->older->newer : oldest_) = entry->newer;
    }

    std::size_t budget_;
    std::size_t used_ = 0;
    std::vector<Entry*> buckets_;
    Entry* newest_ = nullptr;
    Entry* oldest_ = nullptr;
    std::uint64_t evictions_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "a key-value store with LRU eviction");
    const auto budget = arguments.number("budget", 64ULL << 20, "bytes the store may hold");
    const auto keys = arguments.number("keys", 300000, "different keys");
    const auto operations = arguments.work("operations", 4000000, "reads and writes");
    arguments.finish();

    const bench::Stopwatch watch;
    bench::Rng random(1);
    Store store(budget);
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < operations; ++i) {
        // The smaller of two random numbers, so that some keys are requested far more often.
        const auto bound = static_cast<std::uint32_t>(keys);
        const std::uint32_t first = random.below(bound);
        const std::uint32_t second = random.below(bound);
        const Key key(first < second ? first : second);
        const bool write = random.below(100) < 25;
        const bool found = !write && store.find(key) != nullptr;
        hits += found ? 1 : 0;
        if (!found) {
            store.set(key, random.log_uniform(4, 12));
        }
    }
    const std::uint64_t evictions = store.evictions();
    store.clear();
    return bench::report(arguments.program(), operations, watch.seconds(), hits << 32 | evictions);
}
