// SPDX-License-Identifier: MIT
// The program replaces only the basic operators. The standard says that the array, sized and nothrow forms
// call them, and that the aligned forms do not.
#include "outside.h"

#include <new>
#include <string>
#include <vector>

namespace {
int taken = 0, given_back = 0;
}

void* operator new(size_t size) {
    ++taken;
    // The result differs from what malloc returned, so that freeing it with the wrong function is detected.
    char* block = static_cast<char*>(malloc(size + 16));
    return block ? block + 16 : throw std::bad_alloc();
}

void operator delete(void* object) noexcept {
    ++given_back;
    if (object) {
        free(static_cast<char*>(object) - 16);
    }
}

namespace {

struct alignas(64) Aligned {
    char bytes[64];
};

void say(const char* what) { SAY("%s: %d taken, %d given back\n", what, taken, given_back); }

}  // namespace

int main() {
    delete static_cast<int*>(opaque(new int(1)));
    say("plain");
    delete[] static_cast<int*>(opaque(new int[10]));
    say("array");
    ::operator delete(opaque(new (std::nothrow) int(1)), std::nothrow);
    say("nothrow");
    ::operator delete[](opaque(new (std::nothrow) int[10]), std::nothrow);
    say("nothrow array");
    ::operator delete(opaque(::operator new(100)), 100UL);
    say("sized");
    ::operator delete[](opaque(::operator new[](100)), 100UL);
    say("sized array");
    delete static_cast<Aligned*>(opaque(new Aligned));
    say("aligned");
    {
        std::vector<std::string> words(100, std::string(100, 'w'));
        words.resize(1000);
    }
    SAY("library: all given back: %d\n", taken == given_back);
    return 0;
}
