// SPDX-License-Identifier: MIT
// Destructors of thread_local objects allocate, construct further thread_local objects, and free objects that
// other threads allocated. Those of the first thread run after main has returned, before the static ones.
#include "outside.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> made{0}, destroyed{0};
std::atomic<std::string*> passed_on{nullptr};

struct Late {
    std::vector<std::string> words = {"constructed", "by a", std::string(300, 'x')};
    Late() { ++made; }
    ~Late() {
        ++destroyed;
        words.emplace_back(1000, 'y');
    }
    void touch() { words.emplace_back("touched"); }
};

thread_local Late late;

struct Early {
    std::map<int, std::string> table;
    Early() {
        ++made;
        for (int i = 0; i < 200; ++i) {
            table[i] = std::string(static_cast<size_t>(i), 'z');
        }
    }
    ~Early() {
        ++destroyed;
        late.touch();
        delete passed_on.exchange(new std::string(500, 'p'));
        if (!churn(300)) {
            _exit(9);
        }
    }
};

thread_local Early early;

struct Static {
    std::unique_ptr<std::string> word = std::make_unique<std::string>(100, 's');
    ~Static() {
        SAY("static: made %d, destroyed %d, %zu\n", made.load(), destroyed.load(), word->size());
        delete passed_on.exchange(nullptr);
    }
};

Static last;

}  // namespace

int main() {
    for (int round = 0; round < 10; ++round) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([] { early.table[1000] = "used"; });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    }
    SAY("made %d, destroyed %d\n", made.load(), destroyed.load());
    early.table[1000] = "used by the first thread";
    return 0;
}
