// SPDX-License-Identifier: MIT
// Growth by realloc: strings that get a few bytes more at each append, and vectors that double. This shows
// whether an object can grow in place, and what a copy costs.
#include "common/workload.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

void* resize(void* object, std::size_t bytes) {
    void* grown = std::realloc(object, bytes);
    if (grown == nullptr) {
        bench::broken("realloc gave null", object, bytes);
    }
    return grown;
}

// The byte at each position of a string follows from the position, so any wrong copy is detected.
struct String {
    char* text = nullptr;
    std::size_t length = 0;

    static char letter(std::size_t position) { return static_cast<char>(position * 167 + position / 251); }

    void append(std::size_t count) {
        text = static_cast<char*>(resize(text, length + count));
        for (std::size_t end = length + count; length < end; ++length) {
            text[length] = letter(length);
        }
    }

    void drop() {
        for (std::size_t i = 0; i < length; ++i) {
            if (text[i] != letter(i)) {
                bench::broken("realloc lost a byte", text, length);
            }
        }
        std::free(text);
        text = nullptr;
        length = 0;
    }
};

std::uint64_t grow_strings(std::uint64_t appends, std::uint64_t seed) {
    constexpr std::uint32_t kStrings = 1000;
    bench::Rng random(seed);
    std::vector<String> strings(kStrings);
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < appends; ++i) {
        String& string = strings[random.below(kStrings)];
        // A string ends once in 100 appends on average, so lengths spread up to some kilobytes.
        if (random.below(100) == 0) {
            bytes += string.length;
            string.drop();
        }
        string.append(random.between(1, 64));
    }
    for (String& string : strings) {
        string.drop();
    }
    return bytes;
}

std::uint64_t grow_vectors(std::uint64_t vectors, std::uint64_t seed) {
    bench::Rng random(seed);
    std::uint64_t sum = 0;
    for (std::uint64_t v = 0; v < vectors; ++v) {
        const std::size_t length = random.log_uniform(4, 18);
        std::size_t capacity = 4;
        auto* numbers = static_cast<std::uint64_t*>(bench::take(capacity * sizeof(std::uint64_t)));
        for (std::size_t i = 0; i < length; ++i) {
            if (i == capacity) {
                capacity *= 2;
                numbers = static_cast<std::uint64_t*>(resize(numbers, capacity * sizeof(std::uint64_t)));
            }
            numbers[i] = i ^ v;
        }
        numbers = static_cast<std::uint64_t*>(resize(numbers, length * sizeof(std::uint64_t)));
        for (std::size_t i = 0; i < length; ++i) {
            sum += numbers[i];
        }
        std::free(numbers);
    }
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "strings and vectors that grow by realloc");
    const auto threads = arguments.number("threads", 2, "threads");
    const auto appends = arguments.work("appends", 8000000, "appends to strings by each thread");
    const auto vectors = arguments.work("vectors", 8000, "vectors grown by each thread");
    arguments.finish();

    const bench::Stopwatch watch;
    std::atomic<std::uint64_t> check{0};
    std::vector<std::jthread> workers;
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back(
            [&, t] { check += grow_strings(appends, t + 1) + grow_vectors(vectors, t + 1); });
    }
    workers.clear();
    return bench::report(arguments.program(), threads * (appends + vectors), watch.seconds(), check);
}
