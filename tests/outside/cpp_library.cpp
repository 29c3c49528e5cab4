// SPDX-License-Identifier: MIT
// Unusual allocations of the C++ library: memory resources, temporary buffers, shared state of futures,
// regular expressions, paths, locales, and exceptions that pass between threads.
#include "outside.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <future>
#include <iterator>
#include <locale>
#include <map>
#include <memory_resource>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct alignas(4096) Page {
    char bytes[4096];
};

void resources() {
    std::pmr::synchronized_pool_resource pool(std::pmr::new_delete_resource());
    std::pmr::map<int, std::pmr::string> table(&pool);
    for (int i = 0; i < 5000; ++i) {
        table[i] = std::pmr::string(static_cast<size_t>(i % 300), 'x');
    }
    void* aligned = std::pmr::new_delete_resource()->allocate(100, 2048);
    SAY("resource: %zu, aligned: %d\n", table.size(), reinterpret_cast<uintptr_t>(aligned) % 2048 == 0);
    std::pmr::new_delete_resource()->deallocate(aligned, 100, 2048);
    std::vector<Page> pages(20);
    SAY("pages: %d\n", reinterpret_cast<uintptr_t>(pages.data()) % 4096 == 0);
}

void futures() {
    std::vector<std::future<size_t>> results;
    for (size_t i = 0; i < 20; ++i) {
        results.push_back(std::async(i % 2 ? std::launch::async : std::launch::deferred,
                                     [i] { return std::string(i * 100, 'a').size(); }));
    }
    size_t sum = 0;
    for (auto& result : results) {
        sum += result.get();
    }
    SAY("futures: %zu\n", sum);
}

void exceptions() {
    std::exception_ptr caught;
    std::thread([&] {
        try {
            throw std::runtime_error(std::string(500, 'e'));
        } catch (...) {
            caught = std::current_exception();
        }
    }).join();
    try {
        std::rethrow_exception(caught);
    } catch (const std::exception& error) {
        SAY("exception of a thread that ended: %zu\n", std::string(error.what()).size());
    }
}

void texts() {
    const std::string text = "one two 33 four 55";
    const std::regex number("([0-9]+)");
    const auto found = std::distance(std::sregex_iterator(text.begin(), text.end(), number), {});
    std::ostringstream stream;
    stream.imbue(std::locale::classic());
    for (int i = 0; i < 10000; ++i) {
        stream << i << ' ';
    }
    SAY("regex: %d, stream: %zu\n", static_cast<int>(found), stream.str().size());
    size_t length = 0;
    for (const auto& part : std::filesystem::path("/one/two/../three/./four").lexically_normal()) {
        length += part.native().size();
    }
    SAY("path: %zu, current: %d\n", length, std::filesystem::current_path().is_absolute());
}

void sorts() {
    std::vector<int> numbers(100000);
    for (size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = static_cast<int>(i * 7919 % 100003);
    }
    std::stable_sort(numbers.begin(), numbers.end());  // takes a temporary buffer
    SAY("sorted: %d\n", std::is_sorted(numbers.begin(), numbers.end()));
}

}  // namespace

int main() {
    for (int round = 0; round < 2; ++round) {
        resources();
        futures();
        exceptions();
        texts();
        sorts();
    }
    return 0;
}
