// SPDX-License-Identifier: MIT
//
// Allocates from twelve places, at rates and sizes given by a table, in several threads that free each
// other's objects. Counts what it does, independently of hotlane, and prints the counts as JSON. exact.py and
// rates.py compare them with the profile. Usage: sites TABLE SEED
#include "../programs/check.h"

#include <malloc.h>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace {

constexpr size_t kSites = 12;
constexpr size_t kThreads = 4;
constexpr size_t kLargestSmall = 65536;

/// Prevents a tail call: the function that calls this at its end stays on the stack.
void* kept(void* p) {
    asm volatile("" : "+r"(p));
    return p;
}

void* at_multiple_of_page(size_t n) {
    void* p = nullptr;
    return posix_memalign(&p, 4096, n) == 0 ? p : nullptr;
}

}  // namespace

// The places. The expression that allocates is inlined into each of them.
#define PLACE(name, expression)                                                                              \
    extern "C" [[gnu::noinline]] void* name(size_t n) { return kept(expression); }

PLACE(place_tiny, malloc(n))
PLACE(place_small, malloc(n))
PLACE(place_medium, malloc(n))
PLACE(place_big, malloc(n))
PLACE(place_large, malloc(n))
PLACE(place_calloc, calloc(1, n))
PLACE(place_large_calloc, calloc(n, 1))
PLACE(place_new, operator new(n))
PLACE(place_new_array, operator new[](n))
PLACE(place_new_aligned, operator new (n, std::align_val_t{128}))
PLACE(place_page, at_multiple_of_page(n))
PLACE(place_realloc, realloc(nullptr, n))

extern "C" [[gnu::noinline]] void* place_resize(void* p, size_t n) { return kept(realloc(p, n)); }

namespace {

struct Row {
    size_t least, most;  // bytes of a request
    unsigned objects;    // live at a time
    unsigned turns;      // then, of 1,000 turns: how many free one object and allocate another
};

struct Table {
    const char* name;
    unsigned turns;    // of all threads
    unsigned resizes;  // of 1,000 turns: how many only resize
    Row rows[kSites];
};

struct {
    const char* name;
    void* (*allocate)(size_t);
} constexpr kPlaces[kSites] = {
    {"place_tiny", place_tiny},
    {"place_small", place_small},
    {"place_medium", place_medium},
    {"place_big", place_big},
    {"place_large", place_large},
    {"place_calloc", place_calloc},
    {"place_large_calloc", place_large_calloc},
    {"place_new", place_new},
    {"place_new_array", place_new_array},
    {"place_new_aligned", place_new_aligned},
    {"place_page", place_page},
    {"place_realloc", place_realloc},
};
constexpr size_t kResize = kSites;  // its index in the counts

constexpr Table kTables[] = {
    // Every way to allocate, often.
    {"exact",
     80'000,
     150,
     {{1, 64, 200, 200},
      {65, 1024, 200, 150},
      {1025, 16384, 200, 100},
      {16385, 65536, 100, 60},
      {65537, 1048576, 40, 20},
      {1, 300, 200, 100},
      {65537, 300000, 20, 10},
      {1, 200, 200, 120},
      {1, 3000, 200, 80},
      {1, 5000, 200, 60},
      {1, 20000, 100, 40},
      {1, 100000, 100, 60}}},
    // For one sample in 512 KiB: seven places with some 5 GB each, of which four still have it live at the
    // end. Most of the memory is never touched.
    {"coarse",
     1'750'000,
     0,
     {{1, 64, 20'000, 20},
      {65, 1000, 20'000, 20},
      {4097, 8192, 100'000, 430},
      {16385, 49152, 165'000, 20},
      {65537, 262144, 28'000, 2},
      {100, 300, 10'000, 10},
      {65537, 200000, 20, 1},
      {20, 200, 20'000, 15},
      {262145, 1048576, 6'000, 1},
      {8193, 16384, 10'000, 233},
      {8193, 16384, 10'000, 233},
      {20481, 65536, 125'000, 15}}},
    // For one sample in 8 KiB: as many samples, from small objects.
    {"fine",
     600'000,
     0,
     {{1, 64, 1'300'000, 300},
      {65, 256, 480'000, 150},
      {1025, 4096, 34'000, 20},
      {8193, 16384, 200, 5},
      {65537, 262144, 20, 1},
      {200, 320, 10'000, 80},
      {65537, 200000, 20, 1},
      {100, 200, 500'000, 200},
      {500, 1500, 82'000, 50},
      {600, 1000, 100'000, 60},
      {4000, 8192, 400, 13},
      {300, 500, 200'000, 120}}},
};

/// The program's own counts, to be compared with a Tally of the profile.
struct Count {
    int64_t objects = 0;
    int64_t bytes = 0;      // usable
    int64_t requested = 0;  // bytes
    void add(int64_t times, size_t usable, size_t n) {
        objects += times;
        bytes += times * static_cast<int64_t>(usable);
        requested += times * static_cast<int64_t>(n);
    }
    Count& operator+=(const Count& other) {
        objects += other.objects;
        bytes += other.bytes;
        requested += other.requested;
        return *this;
    }
};

struct Counts {
    Count live, total, remote;
};

struct Object {
    void* address = nullptr;
    uint32_t requested = 0;
    uint32_t usable = 0;
    uint8_t site = 0;
    uint8_t thread = 0;
};

std::mutex exchange_lock;
Object exchange[256];

class Worker {
  public:
    Worker(const Table& table, uint64_t seed, uint8_t thread)
        : table_(table), random_(seed * 1000003 + thread * 7919U + 1), thread_(thread) {
        for (const Row& row : table.rows) {
            objects_.emplace_back(row.objects / kThreads);
        }
        for (size_t site = 0; site < kSites; ++site) {
            schedule_.insert(schedule_.end(), table.rows[site].turns, static_cast<uint8_t>(site));
        }
        CHECK(schedule_.size() == 1000, "table %s has turns for %zu of 1,000", table.name, schedule_.size());
    }

    void run() {
        for (size_t site = 0; site < kSites; ++site) {
            for (Object& object : objects_[site]) {
                allocate(object, site);
            }
        }
        for (unsigned i = 0; i < table_.turns / kThreads; ++i) {
            const size_t site = schedule_[draw(1000)];
            Object& object = objects_[site][draw(objects_[site].size())];
            if (draw(8) == 0) {
                hand_over(object);
            }
            if (draw(1000) < table_.resizes) {
                resize(object);
            } else {
                release(object);
                allocate(object, site);
            }
        }
    }

    const Counts& counts(size_t site) const { return counts_[site]; }

  private:
    size_t draw(size_t bound) { return next_random(&random_) % bound; }

    void began(Object& object, void* p, size_t site, size_t n) {
        CHECK(p, "no memory for %zu bytes", n);
        object = {p, static_cast<uint32_t>(n), static_cast<uint32_t>(malloc_usable_size(p)),
                  static_cast<uint8_t>(site), thread_};
        counts_[site].live.add(1, object.usable, n);
        counts_[site].total.add(1, object.usable, n);
    }

    void ended(const Object& object) {
        Counts& counts = counts_[object.site];
        counts.live.add(-1, object.usable, object.requested);
        if (object.thread != thread_) {
            counts.remote.add(1, object.usable, object.requested);
        }
    }

    void allocate(Object& object, size_t site) {
        const Row& row = table_.rows[site];
        const size_t n = row.least + draw(row.most - row.least + 1);
        began(object, kPlaces[site].allocate(n), site, n);
    }

    void release(const Object& object) {
        if (object.address != nullptr) {
            ended(object);
            free(object.address);
        }
    }

    /// If realloc leaves a small object in place, it remains the same object with another size. A large
    /// object always counts as a new one.
    void resize(Object& object) {
        const size_t n = 1 + draw(draw(4) == 0 ? 200'000 : 4'000);
        void* fresh = place_resize(object.address, n);
        if (fresh == object.address && n <= kLargestSmall) {
            Counts& counts = counts_[object.site];
            const auto change = static_cast<int64_t>(n) - static_cast<int64_t>(object.requested);
            counts.live.requested += change;
            counts.total.requested += change;
            object.requested = static_cast<uint32_t>(n);
            return;
        }
        if (object.address != nullptr) {
            ended(object);
        }
        began(object, fresh, kResize, n);
    }

    void hand_over(Object& object) {
        const std::lock_guard lock(exchange_lock);
        std::swap(object, exchange[draw(std::size(exchange))]);
    }

    const Table& table_;
    uint64_t random_;
    uint8_t thread_;
    std::vector<std::vector<Object>> objects_;
    std::vector<uint8_t> schedule_;
    Counts counts_[kSites + 1];
};

const Table& table_named(const char* name) {
    for (const Table& table : kTables) {
        if (strcmp(table.name, name) == 0) {
            return table;
        }
    }
    CHECK(false, "no table %s", name);
}

void print(const char* name, const Count& count) {
    printf("\"%s\": {\"objects\": %ld, \"bytes\": %ld, \"requested\": %ld}", name, count.objects, count.bytes,
           count.requested);
}

void print_counts(const std::vector<Worker*>& workers) {
    for (size_t site = 0; site <= kSites; ++site) {
        Counts sum;
        for (const Worker* worker : workers) {
            const Counts& own = worker->counts(site);
            sum.live += own.live;
            sum.total += own.total;
            sum.remote += own.remote;
        }
        printf("%s\"%s\": {", site == 0 ? "{" : ",\n ",
               site == kResize ? "place_resize" : kPlaces[site].name);
        print("live", sum.live);
        printf(", ");
        print("cumulative", sum.total);
        printf(", ");
        print("remote", sum.remote);
        printf("}");
    }
    printf("}\n");
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 3, "usage: sites TABLE SEED");
    const Table& table = table_named(arguments[1]);
    // Never deleted, because the objects that are live at the end belong to it.
    std::vector<Worker*> workers;
    for (size_t i = 0; i < kThreads; ++i) {
        workers.push_back(new Worker(table, strtoul(arguments[2], nullptr, 10), static_cast<uint8_t>(i)));
    }
    std::mutex start;
    std::vector<std::thread> threads;
    {
        // The threads start together. Otherwise one thread's memory could be reused for the next thread, and
        // both would have the same identity.
        const std::lock_guard hold(start);
        for (Worker* worker : workers) {
            threads.emplace_back([&start, worker] {
                { const std::lock_guard wait(start); }
                worker->run();
            });
        }
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    print_counts(workers);
    return 0;
}
