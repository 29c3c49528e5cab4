// SPDX-License-Identifier: MIT
// Fragmentation over phases. Each phase fills memory with objects of its own sizes, then frees nearly all of
// them in random order. The survivors pin the memory around them for some more phases. Peak memory matters as
// much as time.
#include "common/workload.h"

#include <deque>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kPhasesSurvived = 3;
constexpr std::uint32_t kSurvivorsPerHundred = 5;

struct SizeRange {
    unsigned low_bits;
    unsigned high_bits;
};
constexpr SizeRange kPhases[] = {{4, 7}, {8, 11}, {5, 9}, {11, 15}, {4, 12}, {9, 10}, {6, 7}, {12, 17}};

std::vector<bench::Block> fill(bench::Rng& random, SizeRange range, std::uint64_t budget) {
    std::vector<bench::Block> blocks;
    for (std::uint64_t used = 0; used < budget; used += blocks.back().bytes) {
        blocks.emplace_back().replace(random.log_uniform(range.low_bits, range.high_bits));
    }
    return blocks;
}

// Frees in random order, and returns the objects that stay.
std::vector<bench::Block> thin_out(bench::Rng& random, std::vector<bench::Block> blocks) {
    for (std::size_t i = blocks.size(); i > 1; --i) {
        std::swap(blocks[i - 1], blocks[random.below(static_cast<std::uint32_t>(i))]);
    }
    std::vector<bench::Block> survivors;
    for (bench::Block& block : blocks) {
        if (random.below(100) < kSurvivorsPerHundred) {
            survivors.push_back(block);
        } else {
            block.release();
        }
    }
    return survivors;
}

void release_all(std::vector<bench::Block>& blocks) {
    for (bench::Block& block : blocks) {
        block.release();
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "phases of different sizes, each leaving survivors behind");
    const auto phases = arguments.work("phases", 32, "phases");
    const auto budget = arguments.number("budget", 64ULL << 20, "bytes filled in a phase");
    arguments.finish();

    const bench::Stopwatch watch;
    bench::Rng random(1);
    std::uint64_t operations = 0;
    std::deque<std::vector<bench::Block>> kept;
    for (std::uint64_t p = 0; p < phases; ++p) {
        auto blocks = fill(random, kPhases[p % std::size(kPhases)], budget);
        operations += blocks.size();
        kept.push_back(thin_out(random, std::move(blocks)));
        if (kept.size() > kPhasesSurvived) {
            release_all(kept.front());
            kept.pop_front();
        }
    }
    for (auto& blocks : kept) {
        release_all(blocks);
    }
    return bench::report(arguments.program(), operations, watch.seconds(), operations);
}
