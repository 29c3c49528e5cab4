// SPDX-License-Identifier: MIT
// A library that allocates when it is loaded, in a thread_local object, and when it is unloaded. Opened by
// dlopen_loop.cpp.
#include <cstdlib>
#include <string>
#include <vector>

namespace {

std::vector<std::string> loaded(300, std::string(100, 'p'));

struct PerThread {
    std::vector<std::string> strings{std::vector<std::string>(50, std::string(80, 't'))};
    ~PerThread() { strings.resize(200, std::string(90, 'u')); }
};

thread_local PerThread per_thread;

struct Unloaded {
    ~Unloaded() {
        loaded.resize(1000, std::string(200, 'q'));
        std::free(std::malloc(100000));
    }
} unloaded;

}  // namespace

extern "C" void* plugin_use(std::size_t size);
extern "C" void* plugin_use(std::size_t size) {
    per_thread.strings.emplace_back(size, 'r');
    return std::malloc(size);
}
