// SPDX-License-Identifier: MIT
// Objects that are constructed before main and destroyed after it, in the opposite order, with atexit
// handlers in between. All of them allocate.
#include "outside.h"

#include <string>
#include <vector>

namespace {

struct Named {
    explicit Named(const char* name) : name(name), rest(100, std::string(50, 'r')) { SAY("made %s\n", name); }
    ~Named() {
        rest.emplace_back(1000, 'd');
        SAY("destroyed %s, %zu\n", name.c_str(), rest.size());
    }
    Named(const Named&) = delete;
    Named& operator=(const Named&) = delete;
    std::string name;
    std::vector<std::string> rest;
};

__attribute__((init_priority(200))) Named early("early");
Named normal("normal");

Named& in_function() {
    static Named named("in a function");
    return named;
}

std::string* leaked = nullptr;

__attribute__((constructor(101))) void construct() { leaked = new std::string(500, 'c'); }

__attribute__((destructor(101))) void destruct() {
    SAY("at last: %zu, memory is fine: %d\n", leaked->size(), churn(500));
    delete leaked;
}

void at_exit() { SAY("exit handler: %s, %d\n", normal.name.c_str(), churn(500)); }

}  // namespace

int main() {
    atexit(at_exit);
    SAY("main: %s\n", in_function().name.c_str());
    return 0;
}
