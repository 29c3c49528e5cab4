// SPDX-License-Identifier: MIT
//
// The memory of a graph database, each kind from its own pool, within a limit known beforehand: nodes, search
// results, JSON values that keep their capacity, embeddings, and an arena for each operation.
#include "expect.h"
#include "hotlane/hotlane.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace {
struct Node {
    std::uint64_t id = 0;
    std::vector<std::uint64_t> edges;
    void clear() { edges.clear(); }
};
struct Result {
    std::uint64_t node;
    float distance;
};
using Object = std::vector<std::pair<std::string, std::string>>;
constexpr auto cleared = [](auto& value) { value.clear(); };
constexpr std::size_t kPrimitive = 256 << 10, kSearch = 1 << 20, kJson = 128 << 10, kLimit = 5 << 20;

struct Pools {
    hotlane::object_pool<Node, &Node::clear> nodes{1024, "nodes"};
    hotlane::record_pool<Result, 4096> results{"results"};
    hotlane::object_pool<Object, cleared> objects{64, "json objects"};
    hotlane::object_pool<std::vector<double>, cleared> arrays{64, "json arrays"};
    hotlane::block_pool<float> embeddings{256, 512, hotlane::on_exhausted::fail, {.name = "embeddings"}};
    hotlane::arena_pool primitive{4, "primitive arenas", kPrimitive, kPrimitive};
    hotlane::arena_pool search{2, "search arenas", kSearch, kSearch};
    hotlane::arena_pool json{4, "json arenas", kJson, kJson};
};
/// The distance to the nearest of 100 vectors.
float search(Pools& pools, std::uint64_t seed) {
    auto arena = std::move(*pools.search.get());
    std::pmr::vector<Result*> found(arena.get());
    auto query = std::move(*pools.embeddings.get());
    std::ranges::fill(query.span(), static_cast<float>(seed % 7));
    for (std::uint64_t i = 0; i < 100; ++i) {
        found.push_back(*pools.results.get());
        *found.back() = {i, std::abs(query[i] - static_cast<float>(i % 10))};
    }
    pools.results.reset();
    return (*std::ranges::min_element(found, {}, &Result::distance))->distance;
}

}  // namespace

int main() {
    Pools pools;
    EXPECT(pools.nodes.bytes() + pools.results.bytes() + pools.objects.bytes() + pools.arrays.bytes() +
               pools.embeddings.bytes() + 4 * kPrimitive + 2 * kSearch + 4 * kJson <
           kLimit);
    for (std::uint64_t i = 0; i < 1000; ++i) {
        auto node = std::move(*pools.nodes.get());
        node->edges.assign(16, i);
        EXPECT(search(pools, i) == 0.0F);
        (*pools.objects.get())->emplace_back("id", "7");
        (*pools.arrays.get())->assign(32, 0.5);
        // A memory resource throws if it has no more memory.
        std::memset((*pools.json.get())->allocate(1000), 1, 1000);
        std::memset((*pools.primitive.get())->allocate(64), 1, 64);
        if (i == 0) {
            hotlane_stats_reset();  // by now, everything has grown to its final size
        }
    }
    EXPECT(hotlane::statistics().allocations == 0 && hotlane::statistics().fallback_allocations == 0);
    for (const char* name :
         {"nodes", "json objects", "json arrays", "embeddings", "search arenas", "json arenas"}) {
        const auto counted = hotlane::pool_statistics(name);
        EXPECT(counted.gets == 999 && counted.hit_rate == 1.0 && counted.in_use == 0 && counted.peak == 1);
    }
    const auto held = pools.arrays.get();
    std::string report(64 << 10, '\0');
    EXPECT(hotlane_stats_format(report.data(), report.size(), HOTLANE_JSON) > 0);
    EXPECT(report.find("\"in_use\": 1, \"utilisation\": 0.015625000, \"peak\": 1,") != std::string::npos);
}
