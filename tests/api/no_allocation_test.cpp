// SPDX-License-Identifier: MIT
//
// Tests the counts of a thread's requests, which have to be exact, and the scopes without allocations.
#include "hotlane/hotlane.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <gtest/gtest.h>
#include <malloc.h>
#include <new>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

/// Hides a pointer from the compiler, which may otherwise remove pairs of malloc and free.
template <class T>
T* used(T* p) {
    asm volatile("" : "+r"(p) : : "memory");
    return p;
}

/// Calls `act`, and expects that it allocates and frees so often.
template <class Act>
void expect_requests(uint64_t allocations, uint64_t frees, Act act) {
    hotlane_no_allocation scope;
    hotlane_no_allocation_begin(&scope, HOTLANE_NO_ALLOCATION_COUNT);
    act();
    const int clean = hotlane_no_allocation_end(&scope);
    EXPECT_EQ(scope.allocations, allocations);
    EXPECT_EQ(scope.frees, frees);
    EXPECT_EQ(clean, allocations + frees == 0 ? 1 : 0);
}

constexpr std::array<size_t, 7> kSizes = {1, 64, 1000, 1025, 50'000, 65'537, 3'000'000};

TEST(ThreadCounts, EveryWayToAllocateCounts) {
    expect_requests(0, 0, [] {});
    for (const size_t size : kSizes) {
        expect_requests(1, 1, [=] { free(used(malloc(size))); });
        expect_requests(1, 1, [=] { free(used(calloc(size, 1))); });
        expect_requests(1, 1, [=] { free(used(aligned_alloc(64, size))); });
        expect_requests(1, 1, [=] { free(used(aligned_alloc(4096, size))); });
        expect_requests(1, 1, [=] { free(used(memalign(1 << 17, size))); });
        expect_requests(1, 1, [=] { free(used(realloc(nullptr, size))); });
        expect_requests(1, 1, [=] { hotlane_put(used(hotlane_get(size))); });
        expect_requests(1, 1, [=] { ::operator delete(used(::operator new(size))); });
        expect_requests(1, 1, [=] { ::operator delete(used(::operator new(size)), size); });
        expect_requests(1, 1, [=] { ::operator delete[](used(::operator new[](size))); });
        expect_requests(1, 1, [=] {
            void* p = nullptr;
            EXPECT_EQ(posix_memalign(&p, 256, size), 0);
            free(used(p));
        });
    }
}

TEST(ThreadCounts, AReallocIsOneOfEach) {
    for (const size_t size : kSizes) {
        void* p = used(malloc(size));
        expect_requests(1, 1, [&] { p = used(realloc(p, size)); });      // stays
        expect_requests(1, 1, [&] { p = used(realloc(p, size * 3)); });  // moves, if it is small
        expect_requests(1, 1, [&] { p = used(realloc(p, 1)); });
        expect_requests(0, 1, [&] { EXPECT_EQ(realloc(p, 0), nullptr); });
    }
}

TEST(ThreadCounts, WhatDidNotHappenDoesNotCount) {
    expect_requests(0, 0, [] {
        free(nullptr);
        volatile size_t impossible = SIZE_MAX / 2;
        EXPECT_EQ(malloc(impossible), nullptr);
        EXPECT_EQ(calloc(impossible, 8), nullptr);
    });
}

TEST(ThreadCounts, AreExactThroughRefillsFlushesAndPurges) {
    std::vector<void*> held(20'000);
    expect_requests(20'000, 20'000, [&] {
        for (void*& p : held) {
            p = used(malloc(100));
        }
        hotlane_purge();
        for (void* p : held) {
            free(p);
        }
        hotlane_thread_flush();
        hotlane_purge();
        hotlane_stats_reset();
    });
}

TEST(ThreadCounts, AreOfTheThreadThatFreesAndAllocates) {
    void* p = nullptr;
    const uint64_t allocations = hotlane_thread_allocations();
    std::thread other([&p] {
        expect_requests(1, 0, [&] { p = used(malloc(100)); });
        expect_requests(500, 500, [] {
            for (int i = 0; i < 500; ++i) {
                free(used(malloc(300)));
            }
        });
    });
    other.join();
    EXPECT_LT(hotlane_thread_allocations() - allocations, 10U);  // what starting a thread takes
    std::thread([] {
        free(used(malloc(100)));
        EXPECT_LT(hotlane_thread_allocations(), 100U) << "what the thread before it allocated is not counted";
    }).join();
    expect_requests(0, 1, [&] { free(p); });
    // A thread that has only freed has no cache yet.
    std::vector<void*> held(50);
    for (void*& one : held) {
        one = used(malloc(100));
    }
    std::thread([&held] {
        expect_requests(0, 50, [&] {
            for (void* one : held) {
                free(one);
            }
        });
    }).join();
}

TEST(ThreadCounts, StayWithAForkedChild) {
    const uint64_t allocations = hotlane_thread_allocations();
    const pid_t child = fork();
    if (child == 0) {
        free(used(malloc(10)));
        _exit(hotlane_thread_allocations() == allocations + 1 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

uint64_t seen_by_handler = 0;

TEST(ThreadCounts, MayBeReadInAHandlerThatInterruptsMalloc) {
    signal(SIGPROF, [](int) { seen_by_handler = hotlane_thread_allocations() + hotlane_thread_frees(); });
    std::thread sender([target = pthread_self()] {
        for (int i = 0; i < 200; ++i) {
            pthread_kill(target, SIGPROF);
            usleep(200);
        }
    });
    const uint64_t end = hotlane_thread_allocations() + 20'000;
    while (hotlane_thread_allocations() < end) {
        std::vector<void*> held(100);
        for (void*& p : held) {
            p = used(malloc(2000));
        }
        for (void* p : held) {
            free(p);
        }
    }
    sender.join();
    EXPECT_GT(seen_by_handler, 0U);
}

TEST(NoAllocation, CountsUntilItsEnd) {
    const hotlane::no_allocation outer;
    EXPECT_EQ(outer.allocations() + outer.frees(), 0U);
    {
        const hotlane::no_allocation inner;
        free(used(malloc(10)));
        EXPECT_EQ(inner.allocations(), 1U);
        EXPECT_EQ(inner.frees(), 1U);
    }
    free(used(malloc(10)));
    EXPECT_EQ(outer.allocations(), 2U);
    EXPECT_EQ(outer.frees(), 2U);
}

TEST(NoAllocation, APoolAllocatesNothing) {
    hotlane::buffer_pool pool{hotlane::load::low};
    const hotlane::no_allocation scope{hotlane::on_allocation::abort};
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(pool.get());
    }
    EXPECT_EQ(scope.allocations() + scope.frees(), 0U);
}

TEST(NoAllocation, AllocationsAreAllowedAgainAfterwards) {
    void* const before = used(malloc(100));
    {
        const hotlane::no_allocation outer{hotlane::on_allocation::abort};
        const hotlane::no_allocation inner{hotlane::on_allocation::abort};
    }
    free(before);
    expect_requests(1000, 1000, [] {
        for (int i = 0; i < 1000; ++i) {
            free(used(malloc(100)));
        }
    });
    std::thread other;
    {
        std::vector<void*> held(1);
        const hotlane::no_allocation scope;  // other threads are not in it
        std::thread([] { const hotlane::no_allocation of_other{hotlane::on_allocation::abort}; }).join();
    }
}

TEST(NoAllocation, EndsWhenAnExceptionLeavesIt) {
    const auto throws = [] {
        const hotlane::no_allocation scope;
        throw std::runtime_error("allocates");
    };
    EXPECT_THROW(throws(), std::runtime_error);
    expect_requests(1, 1, [] { free(used(malloc(1))); });
}

/// What a scope that aborts must refuse. The objects are allocated before it.
template <class Act>
void in_aborting_scope(Act act) {
    void* const small = used(malloc(100));
    void* const large = used(malloc(1 << 20));
    free(used(malloc(200)));  // leaves an object in the cache
    const hotlane::no_allocation scope{hotlane::on_allocation::abort};
    act(small, large);
}

TEST(NoAllocationDeathTest, EveryRequestAborts) {
    EXPECT_DEATH(in_aborting_scope([](void*, void*) { used(malloc(200)); }),
                 "\\): no_allocation: an allocation of 200 bytes inside the scope");
    EXPECT_DEATH(in_aborting_scope([](void* small, void*) { free(small); }),
                 "no_allocation: a free of 0x[0-9a-f]+ inside the scope");
    EXPECT_DEATH(in_aborting_scope([](void*, void* large) { free(large); }), "no_allocation: a free of");
    EXPECT_DEATH(in_aborting_scope([](void*, void*) { used(malloc(5000)); }), "an allocation of 5000 bytes");
    EXPECT_DEATH(in_aborting_scope([](void*, void*) { used(malloc(1 << 20)); }), "an allocation of 1048576");
    EXPECT_DEATH(in_aborting_scope([](void*, void*) { used(calloc(3, 7)); }), "an allocation of 21 bytes");
    EXPECT_DEATH(in_aborting_scope([](void*, void*) { used(aligned_alloc(512, 70)); }),
                 "an allocation of 70");
    EXPECT_DEATH(in_aborting_scope([](void*, void*) { used(new int); }), "an allocation of 4 bytes");
    EXPECT_DEATH(in_aborting_scope([](void* small, void*) { used(realloc(small, 101)); }),
                 "an allocation of 101 bytes");
    EXPECT_DEATH(in_aborting_scope([](void*, void* large) { used(realloc(large, 2 << 20)); }),
                 "an allocation of 2097152 bytes");
}

TEST(NoAllocationDeathTest, TheScopesOfAForkedChildGoOn) {
    EXPECT_DEATH(in_aborting_scope([](void*, void*) {
                     const pid_t child = fork();
                     if (child == 0) {
                         used(malloc(77));
                     }
                     waitpid(child, nullptr, 0);
                     abort();
                 }),
                 "an allocation of 77 bytes");
}

TEST(NoAllocationDeathTest, AHandlerOfTheAbortMayAllocate) {
    EXPECT_EXIT(in_aborting_scope([](void*, void*) {
                    signal(SIGABRT, [](int) {
                        free(used(malloc(100)));
                        _exit(7);
                    });
                    used(malloc(100));
                }),
                testing::ExitedWithCode(7), "an allocation of 100 bytes");
}

}  // namespace
