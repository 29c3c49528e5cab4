// SPDX-License-Identifier: MIT
// Marks, for callgrind, sections that consist of one kind of operation: hits, refills, flushes. Instruction
// counts do not depend on the clock, so a regression shows on any machine, however busy.
// scripts/check_instructions.py divides the counts by the numbers of operations printed here.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <valgrind/callgrind.h>

namespace {

constexpr std::size_t kBytes = 64;
constexpr int kFew = 16;      // stays within a thread cache of any capacity in use
constexpr int kMany = 40000;  // runs through many refills and flushes

void* objects[kMany];

// Counts the instructions that `operation` executes for `count` places, and passes the sum to callgrind under
// a name.
template <typename Operation>
void count_instructions(const char* name, int count, Operation operation) {
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < count; ++i) {
        operation(objects[i]);
    }
    CALLGRIND_DUMP_STATS_AT(name);
    std::printf("%s %d\n", name, count);
}

void take(void*& place) { place = std::malloc(kBytes); }
void take_zeroed(void*& place) { place = std::calloc(1, kBytes); }
void take_new(void*& place) { place = ::operator new(kBytes); }
void release(void*& place) { std::free(place); }
void release_delete(void*& place) { ::operator delete(place); }
void release_sized(void*& place) { ::operator delete(place, kBytes); }
void resize_in_place(void*& place) { place = std::realloc(place, kBytes - 1); }
// The cost of the loop, a store and a call alone.
void nothing(void*& place) { asm volatile("" : "=m"(place)); }

void run_all(void (*operation)(void*&), int count) {
    for (int i = 0; i < count; ++i) {
        operation(objects[i]);
    }
}

}  // namespace

int main() {
    // By now, capacities that start small have grown, and lazily bound symbols are bound.
    for (int i = 0; i < 64; ++i) {
        run_all(take, 512);
        run_all(release, 512);
        run_all(take_new, kFew);
        run_all(release_delete, kFew);
        run_all(take_new, kFew);
        run_all(release_sized, kFew);
        run_all(take_zeroed, kFew);
        run_all(resize_in_place, kFew);
        run_all(release, kFew);
    }
    count_instructions("loop", kFew, nothing);
    count_instructions("malloc_hit", kFew, take);
    count_instructions("free_hit", kFew, release);
    count_instructions("new_hit", kFew, take_new);
    count_instructions("delete_hit", kFew, release_delete);
    run_all(take_new, kFew);
    count_instructions("sized_delete_hit", kFew, release_sized);
    count_instructions("calloc_hit", kFew, take_zeroed);
    count_instructions("realloc_in_place", kFew, resize_in_place);
    run_all(release, kFew);
    count_instructions("malloc_fresh", kMany, take);
    count_instructions("free_flushed", kMany, release);
    count_instructions("malloc_refilled", kMany, take);
    run_all(release, kMany);
    return 0;
}
