// SPDX-License-Identifier: MIT
//
// A scripted run of the whole allocator in which the n-th call to the system fails, for every n. Each request
// must be served or return null with ENOMEM, no object may be lost or handed out twice, and everything must
// work afterwards. Each run is a process of its own, so that start-up is part of it.
#include "fake_os.h"
#include "fallback/fallback.h"
#include "fallback/first_blocks.h"
#include "lifecycle/startup.h"
#include "maintenance/maintenance.h"
#include "malloc/allocator.h"
#include "stats/snapshot.h"
#include "thread_cache/thread_registry.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace hotlane;
using fake_os::Call;

/// If the condition is false, reports it and ends the child.
void require(bool condition, const char* what) {
    if (!condition) {
        fprintf(stderr, "required: %s\n", what);
        _exit(1);
    }
}

struct Object {
    unsigned char* bytes;
    size_t size;
    unsigned char pattern;
};

/// Requests to every tier, with a pattern in every byte.
class Script {
  public:
    explicit Script(unsigned seed) : random_{seed} {}

    void run(int steps) {
        for (int step = 0; step < steps; ++step) {
            random_() % 100 < 60 ? request() : release_one();
            if (random_() % 200 == 0) {
                hotlane::purge_everything();
            }
        }
    }
    void release_all() {
        while (!live_.empty()) {
            release_one();
        }
    }
    uint64_t served = 0;
    uint64_t refused = 0;

  private:
    void request() {
        constexpr size_t kSizes[] = {1, 64, 200, 1024, 1025, 5'000, 20'000, 65'536, 65'537, 300'000};
        const size_t n = kSizes[random_() % std::size(kSizes)];
        const bool zeroed = random_() % 4 == 0;
        errno = 0;
        auto* p = static_cast<unsigned char*>(zeroed               ? allocate_zeroed(1, n)
                                              : random_() % 8 == 0 ? allocate_aligned(4 * KiB, n)
                                                                   : allocate(n));
        if (p == nullptr) {
            require(errno == ENOMEM, "ENOMEM with every null");
            ++refused;
            return;
        }
        ++served;
        for (size_t i = 0; zeroed && i < n; ++i) {
            require(p[i] == 0, "zeroes from calloc");
        }
        const auto pattern = static_cast<unsigned char>(random_());
        memset(p, pattern, n);
        live_.push_back({p, n, pattern});
    }
    void release_one() {
        if (live_.empty()) {
            return;
        }
        std::swap(live_[random_() % live_.size()], live_.back());
        const Object object = live_.back();
        live_.pop_back();
        for (size_t i = 0; i < object.size; ++i) {
            require(object.bytes[i] == object.pattern, "contents kept by nobody else");
        }
        if (random_() % 8 == 0) {
            errno = 0;
            if (void* moved = reallocate(object.bytes, object.size / 2 + 1)) {
                require(*static_cast<unsigned char*>(moved) == object.pattern, "contents moved");
                return release(moved);
            }
            require(errno == ENOMEM, "ENOMEM from realloc");
        }
        release(object.bytes);
    }

    std::mt19937 random_;
    std::vector<Object> live_;
};

/// The whole run: the main thread and two more, one after the other, and then everything again without
/// failures.
void run_script() {
    Script script(7);
    script.run(250);
    for (unsigned t = 0; t < 2; ++t) {
        std::thread([t, &script] {
            Script other(t);
            other.run(150);
            other.release_all();
            script.served += other.served;
            script.refused += other.refused;
        }).join();
    }
    script.run(100);
    fake_os::reset();
    Script after(8);
    after.run(500);
    require(after.refused == 0, "everything works once the system does");
    script.release_all();
    after.release_all();
    hotlane::purge_everything();

    Snapshot snapshot;
    take_snapshot(snapshot);
    require(snapshot.allocations() == snapshot.frees(), "as many puts as gets");
    require(snapshot.fallback_count() == snapshot.fallback_frees,
            "as many frees as allocations of the fallback");
    require(snapshot.allocations() + snapshot.fallback_count() >= script.served + after.served,
            "every request counted");
    thread_registry::detach();
    hotlane::purge_everything();
    Snapshot empty;
    take_snapshot(empty);
    require(empty.region_in_use_bytes == 0, "every object back");
}

/// Runs in a child process. Returns true if the child ended well.
template <class Prepare>
bool ends_well(Prepare prepare, uint64_t* calls = nullptr) {
    int channel[2];
    if (pipe(channel) != 0) {
        return false;
    }
    const pid_t child = fork();
    if (child == 0) {
        fake_os::reset();
        prepare();
        Script counted(7);
        if (calls != nullptr) {
            counted.run(250);
            for (unsigned t = 0; t < 2; ++t) {
                std::thread([t] {
                    Script other(t);
                    other.run(150);
                    other.release_all();
                }).join();
            }
            const uint64_t made = fake_os::all_calls();
            _exit(write(channel[1], &made, sizeof made) == sizeof made ? 0 : 1);
        }
        run_script();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    const bool read_calls = calls == nullptr || read(channel[0], calls, sizeof *calls) == sizeof *calls;
    close(channel[0]);
    close(channel[1]);
    return status == 0 && read_calls;
}

/// Finds `count` blocks that are adjacent. Returns the index of the first one in the sorted list.
size_t run_of(const std::vector<char*>& sorted, size_t count, size_t most_apart) {
    size_t first = 0;
    for (size_t i = 1; i < sorted.size() && i - first < count; ++i) {
        if (static_cast<size_t>(sorted[i] - sorted[i - 1]) > most_apart) {
            first = i;
        }
    }
    return first;
}

TEST(Faults, ALargeBlockGrowsIntoWhatTheFallbackKeepsWhereTheSystemHasNoMore) {
    EXPECT_TRUE(ends_well([] {
        constexpr size_t kCached = 256 * KiB;  // the largest block that a thread's cache of jemalloc keeps
        constexpr size_t kCount = 17;
        constexpr size_t kWanted = 4 * MiB;
        constexpr size_t kSlack = 8 * KiB;
        for (size_t i = 0; i < first_blocks::kCount; ++i) {
            require(allocate(kCached) != nullptr, "those that no thread's cache keeps");
        }
        std::vector<char*> blocks(100);
        for (char*& block : blocks) {
            block = static_cast<char*>(allocate(kCached));
        }
        void* grows = allocate(kCached + 1);
        memset(grows, 7, kCached);
        for (const Call call : {Call::reserve, Call::commit, Call::map}) {
            fake_os::fail_always(call, true);
        }
        while (fallback::allocate(kWanted, 16, false) != nullptr) {
        }
        std::sort(blocks.begin(), blocks.end());
        const size_t first = run_of(blocks, kCount, kCached + kSlack);
        for (size_t i = 0; i < kCount; ++i) {
            release(blocks[first + i]);
        }
        require(fallback::allocate(kWanted, 16, false) == nullptr, "nothing without a purge");
        auto* grown = static_cast<unsigned char*>(reallocate(grows, kWanted));
        require(grown != nullptr, "realloc purges and tries again");
        require(grown[0] == 7 && grown[kCached - 1] == 7, "contents moved");
        errno = 0;
        require(reallocate(grown, 64 * kWanted) == nullptr && errno == ENOMEM, "and says so when it cannot");
        require(grown[0] == 7, "the block stays where realloc failed");
        _exit(0);
    }));
}

int purges_of_everything = 0;

TEST(Faults, RequestsThatAreRefusedOneAfterTheOtherPurgeOnce) {
    EXPECT_TRUE(ends_well([] {
        release(allocate(100));
        void* const freed_later = allocate(MiB);
        fake_os::stop_clock();
        maintenance::set_up(1'000'000'000, {.purge = [] { ++purges_of_everything; }});
        for (const Call call : {Call::reserve, Call::commit, Call::map}) {
            fake_os::fail_always(call, true);
        }
        for (int i = 0; i < 1'000; ++i) {
            require(allocate(GiB) == nullptr && allocate_zeroed(2, GiB) == nullptr, "refused");
        }
        require(purges_of_everything == 1, "one purge while nothing is freed");
        release(freed_later);
        for (int i = 0; i < 1'000; ++i) {
            require(allocate(GiB) == nullptr, "refused");
        }
        require(purges_of_everything == 2, "one more after a free");
        _exit(0);
    }));
}

TEST(Faults, WhatCannotExistIsRefusedBeforeTheFirstCallToTheSystem) {
    EXPECT_TRUE(ends_well([] {
        const size_t sizes[] = {SIZE_MAX, size_t{PTRDIFF_MAX}, size_t{1} << kAddressBits};
        for (const size_t n : sizes) {
            errno = 0;
            require(allocate(n) == nullptr && errno == ENOMEM, "malloc refuses");
            require(allocate_zeroed(1, n) == nullptr, "calloc refuses");
            require(allocate_aligned(64, n) == nullptr, "aligned forms refuse");
            require(reallocate(nullptr, n) == nullptr, "realloc refuses");
        }
        require(fake_os::all_calls() == 0, "the system was not asked");
        void* const large = allocate(MiB);
        void* const small = allocate(100);
        const uint64_t before = fake_os::all_calls();
        require(reallocate(large, SIZE_MAX) == nullptr && reallocate(small, SIZE_MAX) == nullptr,
                "realloc of a live object refuses");
        require(fake_os::all_calls() == before, "and asks nobody");
        _exit(0);
    }));
}

TEST(Faults, TheFirstRequestOfAProcessGetsAClassOfTheAlignmentItAsksFor) {
    EXPECT_TRUE(ends_well([] {
        setenv("HOTLANE_SIZE_CLASSES", "compact", 1);
        const void* const first = allocate_aligned(64, 40);
        require(usable_size(first) % 64 == 0, "an object whose class is aligned");
        require(usable_size(allocate(40)) == 48, "compact classes");
        _exit(0);
    }));
}

TEST(Faults, AFreeBeforeTheFirstRequestOfAProcessHeedsTheOptions) {
    EXPECT_TRUE(ends_well([] {
        setenv("HOTLANE_ON_ERROR", "warn", 1);
        int foreign = 0;
        release(&foreign);
        require(usable_size(&foreign) == 0, "no object");
        require(reallocate(&foreign, 100) == nullptr, "nor one that grows");
        _exit(0);
    }));
}

TEST(Faults, EveryCallToTheSystemMayFailOnce) {
    uint64_t calls = 0;
    ASSERT_TRUE(ends_well([] {}, &calls));
    ASSERT_GT(calls, 15U);
    for (uint64_t n = 1; n <= calls + 2; ++n) {
        EXPECT_TRUE(ends_well([n] { fake_os::fail_nth_of_all(n); })) << "call " << n << " of " << calls;
    }
}

TEST(Faults, EveryKindOfCallMayFailForGood) {
    for (const Call call : {Call::reserve, Call::commit, Call::map, Call::purge}) {
        EXPECT_TRUE(ends_well([call] { fake_os::fail_always(call, true); })) << static_cast<int>(call);
    }
}

TEST(Faults, FromTheNthCommitOnNoneIsGranted) {
    for (uint64_t granted = 0; granted < 12; ++granted) {
        EXPECT_TRUE(ends_well([granted] {
            ensure_started();
            static std::vector<void*> held;
            for (uint64_t i = 0; i < granted * 50; ++i) {
                held.push_back(allocate(64 + 64 * (i % 16)));
            }
            fake_os::fail_always(Call::commit, true);
            for (void* p : held) {
                release(p);
            }
        })) << granted;
    }
}

TEST(Faults, MemoryRunsOutAtAnySize) {
    for (size_t bytes = 4 * KiB; bytes <= 64 * MiB; bytes += bytes / 2) {
        EXPECT_TRUE(ends_well([bytes] { fake_os::limit_memory(bytes); })) << bytes;
    }
}

TEST(Faults, AddressesRunOutAtAnySize) {
    for (size_t bytes = 64 * KiB; bytes <= 8 * GiB; bytes *= 3) {
        EXPECT_TRUE(ends_well([bytes] { fake_os::limit_addresses(fake_os::reserved_bytes() + bytes); }))
            << bytes;
    }
}

}  // namespace
