// SPDX-License-Identifier: MIT
// Trees that grow and shrink (the barnes family): bodies in space are sorted into an octree, with one node
// per cell and per body. The tree is built anew for each step, summed up and dropped.
#include "common/workload.h"

#include <array>
#include <memory>
#include <vector>

namespace {

constexpr unsigned kCoordinateBits = 20;
constexpr std::uint32_t kSpace = 1U << kCoordinateBits;

struct Body {
    std::array<std::uint32_t, 3> position;
    std::uint32_t mass;
};

// A cell has children and no body, a leaf has a body and no children.
struct Leaf {
    const Body* body;
    Leaf* next;  // bodies at the very same place
};

struct Cell {
    std::array<Cell*, 8> cells{};
    std::array<Leaf*, 8> leaves{};
    std::uint64_t mass = 0;
};

std::size_t octant(const Body& body, unsigned level) {
    const unsigned shift = kCoordinateBits - 1 - level;
    return ((body.position[0] >> shift) & 1) << 2 | ((body.position[1] >> shift) & 1) << 1 |
           ((body.position[2] >> shift) & 1);
}

void insert(Cell* cell, Leaf* leaf, unsigned level) {
    for (;; ++level) {
        const std::size_t where = octant(*leaf->body, level);
        if (cell->cells[where] != nullptr) {
            cell = cell->cells[where];
            continue;
        }
        Leaf*& place = cell->leaves[where];
        if (place == nullptr || level + 1 == kCoordinateBits) {
            leaf->next = place;
            place = leaf;
            return;
        }
        Cell* inner = new Cell;
        Leaf* displaced = place;
        place = nullptr;
        cell->cells[where] = inner;
        insert(inner, displaced, level + 1);
        cell = inner;
    }
}

std::uint64_t sum_up(Cell* cell) {
    for (Cell* inner : cell->cells) {
        cell->mass += inner != nullptr ? sum_up(inner) : 0;
    }
    for (Leaf* leaf : cell->leaves) {
        for (; leaf != nullptr; leaf = leaf->next) {
            cell->mass += leaf->body->mass;
        }
    }
    return cell->mass;
}

std::uint64_t drop(Cell* cell) {
    std::uint64_t nodes = 1;
    for (Cell* inner : cell->cells) {
        nodes += inner != nullptr ? drop(inner) : 0;
    }
    for (Leaf* leaf : cell->leaves) {
        while (leaf != nullptr) {
            Leaf* next = leaf->next;
            delete leaf;
            leaf = next;
            ++nodes;
        }
    }
    delete cell;
    return nodes;
}

void move(std::vector<Body>& bodies, bench::Rng& random) {
    for (Body& body : bodies) {
        for (std::uint32_t& coordinate : body.position) {
            coordinate = (coordinate + random.below(kSpace / 64)) % kSpace;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "octrees built and dropped (barnes family)");
    const auto most = arguments.number("bodies", 60000, "bodies in the largest step");
    const auto steps = arguments.work("steps", 200, "steps, each with its own tree");
    arguments.finish();

    const bench::Stopwatch watch;
    bench::Rng random(1);
    std::vector<Body> bodies(most);
    for (Body& body : bodies) {
        body = {{random.below(kSpace), random.below(kSpace), random.below(kSpace)}, random.below(100)};
    }
    std::uint64_t nodes = 0;
    std::uint64_t mass = 0;
    for (std::uint64_t step = 0; step < steps; ++step) {
        // The tree's size swings between a quarter and the whole.
        const std::size_t count = most / 4 * (1 + step % 4);
        auto* root = new Cell;
        std::uint64_t expected = 0;
        for (std::size_t i = 0; i < count; ++i) {
            insert(root, new Leaf{&bodies[i], nullptr}, 0);
            expected += bodies[i].mass;
        }
        if (sum_up(root) != expected) {
            bench::broken("a tree lost bodies", root, sizeof *root);
        }
        mass += root->mass;
        nodes += drop(root);
        move(bodies, random);
    }
    return bench::report(arguments.program(), nodes, watch.seconds(), mass ^ nodes);
}
