// SPDX-License-Identifier: MIT
// The program replaces only the array forms and the sized delete. All other forms are those of the malloc in
// use.
#include "outside.h"

#include <memory>
#include <new>
#include <string>

namespace {
int taken = 0, given_back = 0, sized = 0;
}

void* operator new[](size_t size) {
    ++taken;
    char* block = static_cast<char*>(malloc(size + 32));
    return block ? block + 32 : throw std::bad_alloc();
}

void operator delete[](void* object) noexcept {
    ++given_back;
    if (object) {
        free(static_cast<char*>(object) - 32);
    }
}

void operator delete(void* object, size_t) noexcept {
    ++sized;
    ::operator delete(object);
}

int main() {
    delete static_cast<int*>(opaque(new int(1)));
    SAY("plain: %d %d %d\n", taken, given_back, sized);
    delete[] static_cast<int*>(opaque(new int[10]));
    SAY("array: %d %d %d\n", taken, given_back, sized);
    ::operator delete[](opaque(new (std::nothrow) int[10]), std::nothrow);
    SAY("nothrow array: %d %d %d\n", taken, given_back, sized);
    ::operator delete[](opaque(::operator new[](100)), 100UL);
    SAY("sized array: %d %d %d\n", taken, given_back, sized);
    {
        auto words = std::make_unique<std::string[]>(100);
        words[5] = std::string(1000, 'x');
    }
    SAY("library: %d %d\n", taken, given_back);
    return 0;
}
