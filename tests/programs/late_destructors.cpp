// SPDX-License-Identifier: MIT
// Trap: a thread may allocate for the first time in a destructor of a pthread key, in any of its four rounds.
// If an allocator learns of the thread only then, and its own destructor has already run in the last round,
// it is never told of the thread's end. It keeps pointers into a stack that is gone.
// Here many threads do this, with every stack size, while another one trims, forks and allocates.
//
// Arguments: the number of keys, the size of the first request, and the number of threads. Prints how many
// objects of 3,000 bytes all threads allocated, and how many they freed.
#include "check.h"

#include <atomic>
#include <climits>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace {

constexpr int kRounds = 4;  // PTHREAD_DESTRUCTOR_ITERATIONS
constexpr size_t kCountedSize = 3000;
constexpr int kObjects = 20;

std::vector<pthread_key_t> keys;
size_t first_size = 100;
std::atomic<uint64_t> allocated{0};

// Made by the first constructor. If the allocator makes its key at the first request, these keys come before
// it.
constexpr int kKeysBefore = 4;
pthread_key_t keys_before[kKeysBefore];

// A thread's value of a key, packed into one word, because nothing may be allocated for it.
struct Plan {
    unsigned rounds_left;
    unsigned last_key;  // index of the key whose destructor allocates
    bool keeps;         // one object is left for the main thread to free
    void* word() const {
        return reinterpret_cast<void*>(uintptr_t{1} | rounds_left << 1 | last_key << 4 |
                                       uintptr_t{keeps} << 20);
    }
    static Plan of(void* word) {
        const auto bits = reinterpret_cast<uintptr_t>(word);
        return {static_cast<unsigned>(bits >> 1 & 7), static_cast<unsigned>(bits >> 4 & 0xFFFF),
                (bits >> 20 & 1) != 0};
    }
};

std::atomic<void*> kept[64];

void allocate(bool keeps) {
    free(opaque(malloc(first_size)));
    void* objects[kObjects];
    for (int i = 0; i < kObjects; ++i) {
        objects[i] = opaque(malloc(kCountedSize));
        pattern_fill(objects[i], kCountedSize, static_cast<unsigned>(i));
    }
    allocated += kObjects;
    for (int i = 0; i < kObjects; ++i) {
        pattern_check(objects[i], kCountedSize, static_cast<unsigned>(i));
        if (i == 0 && keeps) {
            for (auto& place : kept) {
                void* none = nullptr;
                if (place.compare_exchange_strong(none, objects[0])) {
                    objects[0] = nullptr;
                    break;
                }
            }
        }
        free(objects[i]);
    }
}

// Waits for its round. Then the chosen key allocates, in the same round if its destructor runs after this
// one.
void destroy_first(void* value) {
    Plan plan = Plan::of(value);
    if (plan.rounds_left != 0) {
        --plan.rounds_left;
        pthread_setspecific(keys_before[0], plan.word());
    } else if (plan.last_key == 0) {
        allocate(plan.keeps);
    } else {
        pthread_setspecific(keys[plan.last_key - 1], plan.word());
    }
}

void destroy(void* value) { allocate(Plan::of(value).keeps); }

[[gnu::constructor(101)]] void make_first_keys() {
    for (pthread_key_t& key : keys_before) {
        pthread_key_create(&key, destroy_first);
    }
}

void* body(void* plan) {
    pthread_setspecific(keys_before[0], plan);
    return nullptr;
}

struct Thread {
    pthread_t id;
    void* stack;  // ours, or null
    size_t stack_bytes;
};

constexpr size_t kStackSizes[] = {0, 64 << 10, 1 << 20, 8 << 20};  // 0: the smallest there is

Thread start(const Plan& plan, size_t stack_bytes, bool own_stack) {
    Thread thread{};
    thread.stack_bytes = stack_bytes == 0 ? static_cast<size_t>(PTHREAD_STACK_MIN) : stack_bytes;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (own_stack) {
        thread.stack =
            mmap(nullptr, thread.stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(thread.stack != MAP_FAILED, "no memory");
        pthread_attr_setstack(&attributes, thread.stack, thread.stack_bytes);
    } else {
        pthread_attr_setstacksize(&attributes, thread.stack_bytes);
    }
    CHECK(pthread_create(&thread.id, &attributes, body, plan.word()) == 0, "no thread");
    pthread_attr_destroy(&attributes);
    return thread;
}

// The memory of an ended thread's stack must not be used any more: half of the stacks are unmapped, and half
// are filled and checked.
struct Watched {
    unsigned char* bytes;
    size_t count;
};
std::vector<Watched> watched;

void finish(const Thread& thread, bool watch) {
    CHECK(pthread_join(thread.id, nullptr) == 0, "no end");
    if (thread.stack != nullptr && watch) {
        // The thread-local storage lies at the high end.
        const size_t count = 16384;
        auto* end = static_cast<unsigned char*>(thread.stack) + thread.stack_bytes;
        memset(end - count, 0x5A, count);
        watched.push_back({end - count, count});
    } else if (thread.stack != nullptr) {
        munmap(thread.stack, thread.stack_bytes);
    }
}

void check_watched() {
    for (const Watched& stack : watched) {
        CHECK(all_bytes_are(stack.bytes, stack.count, 0x5A),
              "a stack that is no thread's any more was written");
    }
}

std::atomic<bool> done{false};

// Trims and allocates all the time, and forks now and then.
void disturb() {
    for (int turn = 0; !done; ++turn) {
        malloc_trim(0);
        free(opaque(malloc(500)));
        if (turn % 16 == 0) {
            const pid_t child = fork();
            if (child == 0) {
                free(opaque(malloc(100)));
                malloc_trim(0);
                _exit(0);
            }
            int status = 0;
            CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);
        }
        usleep(200);
    }
}

}  // namespace

int main(int, char** arguments) {
    const int key_count = atoi(arguments[1]);
    first_size = static_cast<size_t>(atoll(arguments[2]));
    const int thread_count = atoi(arguments[3]);
    std::thread disturber(disturb);
    for (int i = 0; i < key_count; ++i) {
        pthread_key_t key = 0;
        // An allocator that needs the key with the highest number holds all free keys for a moment.
        int error = EAGAIN;
        for (int tries = 0; error == EAGAIN && tries < 1000; ++tries) {
            usleep(tries == 0 ? 0 : 1000);
            error = pthread_key_create(&key, destroy);
        }
        CHECK(error == 0, "no key");
        keys.push_back(key);
    }
    const auto last_key = static_cast<unsigned>(key_count);
    const unsigned last_keys[] = {0, last_key == 0 ? 0U : 1U, last_key, last_key};
    for (int i = 0; i < thread_count; i += 4) {
        Thread threads[4];
        for (int j = 0; j < 4; ++j) {
            const int number = i + j;
            const Plan plan{static_cast<unsigned>(number % kRounds), last_keys[number / 4 % 4],
                            number % 16 == 0};
            threads[j] = start(plan, kStackSizes[number / 16 % 4], number / 4 % 2 == 0);
        }
        for (int j = 0; j < 4; ++j) {
            finish(threads[j], (i / 4 + j) % 8 == 0);
        }
        check_watched();
        for (auto& place : kept) {
            free(place.exchange(nullptr));
        }
    }
    done = true;
    disturber.join();
    for (int turn = 0; turn < 3; ++turn) {
        malloc_trim(0);
        check_watched();
    }
    dprintf(1, "%zu %llu %llu\n", kCountedSize, static_cast<unsigned long long>(allocated.load()),
            static_cast<unsigned long long>(allocated.load()));
    return 0;
}
