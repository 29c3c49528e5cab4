// SPDX-License-Identifier: MIT
// Makes random requests and compares each answer with a shadow model, which knows the address, size,
// alignment and contents of every live object. The seed makes a failure repeatable. Several threads work at
// once and hand objects over.
//
// usage: fuzz SEED COUNT THREADS ALIGNMENT [TINY]
// In the middle of its steps each thread allocates TINY objects of 24 bytes, which it keeps to its end.
#include "check.h"

#include <malloc.h>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace {

struct Object {
    void* address = nullptr;
    size_t size = 0;
    unsigned seed = 0;
};

std::mutex shared_mutex;
std::vector<Object> shared_objects;

class Fuzzer {
  public:
    Fuzzer(uint64_t seed, long count, size_t alignment, size_t tiny)
        : random_(seed * 0x9e3779b97f4a7c15 + 1), count_(count), alignment_(alignment), objects_(700),
          tiny_(tiny) {}

    void run() {
        for (step_ = 0; step_ < count_; ++step_) {
            if (step_ == count_ / 2) {
                allocate_tiny();
            }
            take_step(objects_[draw(objects_.size())]);
        }
        for (Object& object : objects_) {
            release(object);
        }
        for (Object& object : tiny_) {
            release(object);
        }
    }

  private:
    size_t draw(size_t bound) { return next_random(&random_) % bound; }

    size_t random_size() {
        switch (draw(20)) {
        case 0:
            return draw(3);
        case 1:
            return draw(70) * 1024;
        case 2:
            return draw(30) == 0 ? draw(2 << 20) : draw(9000);
        case 3:
            return size_t{64} << draw(11);
        default:
            return draw(700);
        }
    }

    void take_step(Object& object) {
        if (!object.address) {
            allocate(object);
        } else if (draw(8) == 0) {
            resize(object);
        } else if (draw(16) == 0) {
            hand_over(object);
        } else {
            release(object);
        }
    }

    void allocate(Object& object) {
        object.size = random_size();
        size_t alignment = object.size <= 65536 ? alignment_ : 16;
        switch (draw(8)) {
        case 0:
            object.address = calloc(object.size, 1);
            CHECK(object.address && all_bytes_are(object.address, object.size, 0),
                  "step %ld: calloc(%zu) not zero", step_, object.size);
            break;
        case 1:
            alignment = size_t{8} << draw(draw(50) ? 10 : 18);
            object.address = memalign(alignment, object.size);
            break;
        case 2:
            object.address = operator new(object.size);
            break;
        default:
            object.address = malloc(object.size);
        }
        CHECK(object.address, "step %ld: no memory for %zu", step_, object.size);
        CHECK(reinterpret_cast<uintptr_t>(object.address) % alignment == 0, "step %ld: %p not aligned to %zu",
              step_, object.address, alignment);
        fill(object);
    }

    void fill(Object& object) {
        CHECK(malloc_usable_size(object.address) >= object.size, "step %ld: usable %zu of %zu", step_,
              malloc_usable_size(object.address), object.size);
        object.seed = static_cast<unsigned>(draw(251));
        pattern_fill(object.address, object.size, object.seed);
    }

    void allocate_tiny() {
        for (Object& object : tiny_) {
            object.size = 24;
            object.address = malloc(object.size);
            CHECK(object.address, "step %ld: no memory for a tiny object", step_);
            fill(object);
        }
    }

    void resize(Object& object) {
        const size_t size = random_size() + 1;
        object.address = realloc(object.address, size);
        CHECK(object.address, "step %ld: realloc to %zu failed", step_, size);
        pattern_check(object.address, object.size < size ? object.size : size, object.seed);
        object.size = size;
        fill(object);
    }

    void hand_over(Object& object) {
        const std::lock_guard lock(shared_mutex);
        shared_objects.push_back(object);
        object = {};
        if (shared_objects.size() > 500) {
            std::swap(shared_objects[draw(shared_objects.size())], shared_objects.back());
            object = shared_objects.back();
            shared_objects.pop_back();
        }
    }

    void release(Object& object) {
        if (!object.address) {
            return;
        }
        pattern_check(object.address, object.size, object.seed);
        if (draw(4) == 0) {
            operator delete(object.address, object.size);
        } else {
            free(object.address);
        }
        object = {};
    }

    uint64_t random_;
    long count_;
    size_t alignment_;
    long step_ = 0;
    std::vector<Object> objects_;
    std::vector<Object> tiny_;
};

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 5 || count == 6, "usage: fuzz SEED COUNT THREADS ALIGNMENT [TINY]");
    const uint64_t seed = std::strtoul(arguments[1], nullptr, 10);
    const long steps = std::strtol(arguments[2], nullptr, 10);
    const size_t alignment = std::strtoul(arguments[4], nullptr, 10);
    const size_t tiny = count == 6 ? std::strtoul(arguments[5], nullptr, 10) : 0;
    std::vector<std::thread> threads;
    for (long i = 0; i < std::strtol(arguments[3], nullptr, 10); ++i) {
        threads.emplace_back(
            [=] { Fuzzer(seed + static_cast<uint64_t>(i) * 1000003, steps, alignment, tiny).run(); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const Object& object : shared_objects) {
        pattern_check(object.address, object.size, object.seed);
        free(object.address);
    }
    return 0;
}
