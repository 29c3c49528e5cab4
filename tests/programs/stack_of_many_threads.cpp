// SPDX-License-Identifier: MIT
// Trap: a program has thousands of threads, and each page of a stack that an allocator touches is resident as long as its
// thread lives. Here threads make their first requests and measure how deep their stacks were used. Now and then a
// request also does what is due for the whole process, so the least use of many threads counts.
//
// Arguments: how many bytes of stack may be used.
#include "check.h"
#include "stack_depth.h"

#include <pthread.h>
#include <sys/mman.h>

namespace {

constexpr size_t kStackBytes = 64 << 10;
constexpr int kThreads = 20;

unsigned char* stack = nullptr;
ptrdiff_t least = kStackBytes;

[[gnu::noinline]] void make_first_requests() {
    constexpr size_t kSizes[] = {64, 256, 1024};
    constexpr int kOfEach = 16;
    void* objects[3 * kOfEach];
    for (int i = 0; i < 3 * kOfEach; ++i) {
        objects[i] = opaque(malloc(kSizes[i / kOfEach]));
    }
    for (void* object : objects) {
        free(object);
    }
}

void* measure(void*) {
    const ptrdiff_t used = stack_depth_of(make_first_requests, stack);
    least = used < least ? used : least;
    return nullptr;
}

}  // namespace

int main(int, char** arguments) {
    stack = static_cast<unsigned char*>(
        mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(stack != MAP_FAILED, "no memory");
    for (int i = 0; i < kThreads; ++i) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        CHECK(pthread_attr_setstack(&attributes, stack, kStackBytes) == 0, "no stack");
        pthread_t thread;
        CHECK(pthread_create(&thread, &attributes, measure, nullptr) == 0, "no thread");
        CHECK(pthread_join(thread, nullptr) == 0, "no end");
    }
    const long allowed = atol(arguments[1]);
    CHECK(least <= allowed, "%td bytes of stack were used, %ld are allowed", least, allowed);
    return 0;
}
