// SPDX-License-Identifier: MIT
// False sharing (the cache-thrash and cache-scratch families): each thread writes to a small object of its
// own. If two such objects share a cache line, every write waits for the other core.
// With --passive 1, the first objects come from one thread, and the allocator decides whether they stay
// neighbours.
#include "common/workload.h"

#include <thread>
#include <vector>

namespace {

void write_and_replace(char* object, std::size_t bytes, std::uint64_t rounds, std::uint64_t writes) {
    for (std::uint64_t r = 0; r < rounds; ++r) {
        if (object == nullptr) {
            object = static_cast<char*>(bench::take(bytes));
        }
        std::memset(object, 0, bytes);
        volatile char* target = object;
        for (std::uint64_t w = 0; w < writes; ++w) {
            for (std::size_t i = 0; i < bytes; ++i) {
                target[i] = static_cast<char>(target[i] + 1);
            }
        }
        if (target[0] != static_cast<char>(writes) || target[bytes - 1] != static_cast<char>(writes)) {
            bench::broken("another thread wrote to a private object", object, bytes);
        }
        std::free(object);
        object = nullptr;
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "writes to small private objects (cache-thrash, cache-scratch)");
    const auto threads = arguments.number("threads", 2, "threads");
    const auto bytes = arguments.number("bytes", 8, "bytes of an object");
    const auto passive =
        arguments.number("passive", 0, "1: the first objects are handed out by the main thread");
    const auto rounds = arguments.work("rounds", 60000, "objects taken, written and freed by each thread");
    const auto writes = arguments.number("writes", 5000, "times each byte of an object is written");
    arguments.finish();

    const bench::Stopwatch watch;
    std::vector<char*> first(threads, nullptr);
    if (passive != 0) {
        for (char*& object : first) {
            object = static_cast<char*>(bench::take(bytes));
        }
    }
    std::vector<std::jthread> workers;
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back(write_and_replace, first[t], bytes, rounds, writes);
    }
    workers.clear();
    return bench::report(arguments.program(), threads * rounds * writes * bytes, watch.seconds(),
                         threads * rounds);
}
