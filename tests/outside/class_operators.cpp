// SPDX-License-Identifier: MIT
// Classes with operators of their own, destroying delete, placement forms, over-aligned types, and a
// constructor that throws: the object's memory is freed by the form that matches.
#include "outside.h"

#include <new>
#include <stdexcept>

namespace {

int taken = 0, given_back = 0;

struct Own {
    static void* operator new(size_t size) {
        ++taken;
        return malloc(size);
    }
    static void operator delete(void* object) {
        ++given_back;
        free(object);
    }
    virtual ~Own() = default;
    char bytes[100] = {};
};

struct Derived : Own {
    char more[5000] = {};
};

struct Destroying {
    static void operator delete(Destroying* object, std::destroying_delete_t) {
        ++given_back;
        ::operator delete(object);
    }
    char bytes[300] = {};
};

struct Throwing {
    explicit Throwing(bool now) {
        if (now) {
            throw std::runtime_error("constructor");
        }
    }
    char bytes[400] = {};
};

struct alignas(256) Wide {
    char bytes[256] = {};
};

}  // namespace

int main() {
    for (int i = 0; i < 1000; ++i) {
        Own* object = i % 2 ? new Derived : new Own;
        delete static_cast<Own*>(opaque(object));
    }
    SAY("own: %d %d\n", taken, given_back);
    delete static_cast<Destroying*>(opaque(new Destroying));
    SAY("destroying: %d\n", given_back);
    int caught = 0, aligned = 0;
    for (int i = 0; i < 1000; ++i) {
        try {
            delete new Throwing(i % 2 == 0);
        } catch (const std::runtime_error&) {
            ++caught;
        }
        auto* wide = static_cast<Wide*>(opaque(new Wide[3]));
        aligned += reinterpret_cast<uintptr_t>(wide) % 256 == 0;
        delete[] wide;
    }
    void* room = malloc(sizeof(Derived));
    auto* placed = ::new (room) Derived;
    placed->~Derived();
    free(room);
    SAY("caught: %d, aligned: %d, memory is fine: %d\n", caught, aligned, churn(1000));
    return 0;
}
