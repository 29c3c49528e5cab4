// SPDX-License-Identifier: MIT
// Trap: atexit handlers, static destructors and other libraries' destructors go on allocating and freeing
// after the allocator has written its report. They also register handlers while handlers run. All of these
// requests must be served.
#include "check.h"

#include <string>
#include <thread>
#include <vector>

void late_library_is_linked();

namespace {

int nested;

void allocate() {
    std::vector<std::string> strings(1000, std::string(100, 'x'));
    std::thread([] { std::vector<std::string> others(1000, std::string(50, 'y')); }).join();
    free(opaque(malloc(1 << 20)));
    if (++nested < 5) {
        CHECK(std::atexit(allocate) == 0, "atexit failed");
    }
}

struct Static {
    std::vector<std::string> strings;
    ~Static() { strings.resize(5000, std::string(300, 'z')); }
};

[[gnu::init_priority(101)]] Static constructed_first;
Static constructed_last;

}  // namespace

int main() {
    late_library_is_linked();
    for (int i = 0; i < 100; ++i) {  // more than the 32 that need no allocation
        CHECK(std::atexit(allocate) == 0, "atexit failed");
    }
    constructed_first.strings.emplace_back(100, 'a');
    constructed_last.strings.emplace_back(100, 'b');
    return 0;
}
