// SPDX-License-Identifier: MIT
// Trap: with HOTLANE_SIZE_CLASSES=auto the size classes change while threads allocate, free with sizes and fork. An
// object from before the change has another class than its size has after it.
// Four threads keep more and more objects, which they obtain in every way, fill and give back, also each other's.
// Processes are forked meanwhile, and do the same. No byte may change, and no alignment may be missed.
//
// usage: finer_classes COUNT, of objects per thread; prints how many objects it allocated and freed
#include "check.h"

#include <malloc.h>
#include <new>
#include <pthread.h>
#include <sys/wait.h>

namespace {

constexpr int kThreads = 4;
constexpr size_t kMost = 50000;

struct Object {
    void* address;
    uint16_t size;
    uint16_t alignment;  // 0: as malloc aligns
    uint32_t seed;
};

struct Worker {
    pthread_t thread;
    uint64_t random;
    size_t count;
    Object objects[kMost];
    size_t allocations;
    size_t frees;
};

Worker workers[kThreads];
Object passed_on[64];  // any thread takes an object and leaves one
pthread_mutex_t passed_on_mutex = PTHREAD_MUTEX_INITIALIZER;

void allocate(Worker& worker, Object& object) {
    object.size =
        static_cast<uint16_t>(next_random(&worker.random) % (next_random(&worker.random) % 2 ? 64 : 260));
    object.seed = static_cast<uint32_t>(next_random(&worker.random) % 251);
    object.alignment = 0;
    switch (next_random(&worker.random) % 8) {
    case 0:
        object.address = calloc(1, object.size);
        CHECK(all_bytes_are(object.address, object.size, 0), "calloc(%d)", object.size);
        break;
    case 1:
        object.alignment = static_cast<uint16_t>(32U << next_random(&worker.random) % 3);
        object.address = operator new(object.size, static_cast<std::align_val_t>(object.alignment));
        break;
    case 2:
        object.address = malloc(object.size);
        break;
    default:
        object.address = operator new(object.size);
    }
    const size_t alignment = object.alignment != 0 ? object.alignment : 16;
    CHECK(reinterpret_cast<uintptr_t>(object.address) % alignment == 0, "%p at %zu", object.address,
          alignment);
    pattern_fill(object.address, malloc_usable_size(opaque(object.address)), object.seed);
    ++worker.allocations;
}

void release(Worker& worker, const Object& object) {
    const size_t usable = malloc_usable_size(object.address);
    CHECK(usable >= object.size, "usable size %zu of %d", usable, object.size);
    pattern_check(object.address, usable, object.seed);
    if (object.alignment != 0) {
        operator delete(object.address, object.size, static_cast<std::align_val_t>(object.alignment));
    } else {
        operator delete (object.address, size_t{object.size});
    }
    ++worker.frees;
}

void pass_on(Object& object) {
    pthread_mutex_lock(&passed_on_mutex);
    Object& other = passed_on[object.seed % 64];
    const Object mine = object;
    object = other;
    other = mine;
    pthread_mutex_unlock(&passed_on_mutex);
}

void* work(void* argument) {
    auto& worker = *static_cast<Worker*>(argument);
    for (size_t i = 0; i < worker.count; ++i) {
        Object& object = worker.objects[i];
        allocate(worker, object);
        if (i % 4 == 0) {
            pass_on(object);
        } else if (i % 4 == 1) {
            release(worker, object);
            allocate(worker, object);
        }
        if (object.address == nullptr) {
            allocate(worker, object);
        }
    }
    return nullptr;
}

/// In a forked child: its own change of classes, or the one that its parent has begun.
void work_alone(size_t count) {
    static Worker worker;
    // Another thread may have been using these.
    passed_on_mutex = PTHREAD_MUTEX_INITIALIZER;
    std::memset(passed_on, 0, sizeof passed_on);
    worker.random = 99;
    worker.count = count;
    work(&worker);
    for (size_t i = 0; i < count; ++i) {
        release(worker, worker.objects[i]);
    }
    _exit(0);
}

void fork_meanwhile(size_t count) {
    for (int i = 0; i < 12; ++i) {
        const pid_t child = fork();
        CHECK(child >= 0, "fork");
        if (child == 0) {
            work_alone(count / 4);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);
    }
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: finer_classes COUNT");
    const size_t objects = std::strtoul(arguments[1], nullptr, 10);
    CHECK(objects <= kMost, "at most %zu objects", kMost);
    for (unsigned i = 0; i < kThreads; ++i) {
        workers[i].random = 12345 + i;
        workers[i].count = objects;
        CHECK(pthread_create(&workers[i].thread, nullptr, work, &workers[i]) == 0, "no thread");
    }
    fork_meanwhile(objects);
    size_t allocations = 0;
    size_t frees = 0;
    for (Worker& worker : workers) {
        pthread_join(worker.thread, nullptr);
    }
    for (Object& object : passed_on) {
        if (object.address != nullptr) {
            release(workers[0], object);
        }
    }
    for (Worker& worker : workers) {
        for (size_t i = 0; i < worker.count; i += 2) {  // half of the objects stay
            release(worker, worker.objects[i]);
        }
        allocations += worker.allocations;
        frees += worker.frees;
    }
    dprintf(1, "%zu %zu\n", allocations, frees);
    return 0;
}
