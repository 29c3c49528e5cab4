// SPDX-License-Identifier: MIT
//
// Writes a heap profile of itself in the library's format, with known numbers; nothing is measured. Golden
// files contain line numbers of this file.
#include <cstdio>
#include <cstring>
#include <execinfo.h>
#include <string>
#include <unistd.h>

#define NOINLINE [[gnu::noinline]]

namespace {

struct Numbers {
    long live;        // objects
    long all;         // objects
    long class_size;  // bytes of each
    long requested;   // bytes of each
    long temporary;   // objects
    long remote;      // objects
    long peak() const { return (live + all) / 2; }
};

bool with_sites = true;
bool with_peak = true;
void* end_of_stack = nullptr;  // the return address into main

void print_amount(const char* name, long objects, const Numbers& n) {
    printf(" %s=%ld,%ld,%ld", name, objects, objects * n.class_size, objects * n.requested);
}

/// Stands for the allocator and records its callers. Dumps of other allocators do not contain their own
/// functions; those of hotlane may.
NOINLINE void record(const Numbers& n) {
    void* frames[64];
    const int count = backtrace(frames, 64);
    printf("%ld: %ld [%ld: %ld] @", n.live, n.live * n.class_size, n.all, n.all * n.class_size);
    for (int i = with_sites ? 1 : 2; i < count; ++i) {
        printf(" %p", frames[i]);
        if (frames[i] == end_of_stack) {
            break;  // the callers of main depend on the libc
        }
    }
    printf("\n");
    if (with_sites) {
        printf("# site:");
        print_amount("live", n.live, n);
        print_amount("total", n.all, n);
        if (with_peak) {
            print_amount("peak", n.peak(), n);
        }
        printf(" temporary=%ld,%ld remote=%ld,%ld lifetimes=", n.temporary, n.temporary * n.class_size,
               n.remote, n.remote * n.class_size);
        printf(n.all > n.live ? "%d:%ld,%d:%ld\n" : "-\n", 12, n.temporary, 24, n.all - n.live - n.temporary);
    }
}

}  // namespace

/// The command takes it for an allocator, because of its name.
extern "C" NOINLINE void* hotlane_stand_in(const Numbers& n) {
    record(n);
    asm volatile("");
    return nullptr;
}

namespace app {

template <typename T>
struct Table {
    NOINLINE void grow(const Numbers& n) {
        hotlane_stand_in(n);
        asm volatile("");
    }
};

inline __attribute__((always_inline)) void fill_inlined(Table<std::string>& table, const Numbers& n) {
    table.grow(n);
    asm volatile("");
}

NOINLINE void parse(const Numbers& n) {
    Table<std::string> table;
    fill_inlined(table, n);
    asm volatile("");
}

NOINLINE void leak(const Numbers& n) {
    hotlane_stand_in(n);
    asm volatile("");
}

NOINLINE void twice(const Numbers& a, const Numbers& b) {
    hotlane_stand_in(a);
    asm volatile("");
    hotlane_stand_in(b);
    asm volatile("");
}

}  // namespace app

namespace {

NOINLINE void write_profile(long times) {
    end_of_stack = __builtin_extract_return_addr(__builtin_return_address(0));
    printf("heap profile: 0: 0 [0: 0] @ heap_v2/%d\n", with_sites ? 524288 : 1024);
    if (with_sites) {
        printf("# hotlane profile %d\n# program: /opt/app/self_dump\n# process: 1234\n"
               "# time_ns: %ld000000000\n# duration_ns: 2000000000\n# reason: exit\n# sequence: 0\n"
               "# unwind: libunwind\n# samples: 1234\n# lost_samples: 0\n# later_version: ignored\n"
               "# class: 64 hits=1000 misses=12 puts=990\n# class: 128 hits=7 misses=1 puts=8\n",
               with_peak ? 2 : 1, 4102444800L);  // later than every file on the machine
    }
    if (with_sites && with_peak) {
        printf("# begin_ns: 4102444798000000000\n# peak_ns: 1000000000\n");
        for (const long tenth : {0, 5, 10, 15, 20}) {
            printf("# point: %ld live=%ld rss=%ld requests=%ld misses=%ld\n", tenth * 100'000'000,
                   1000 * tenth * (30 - tenth), 1'000'000 + 1000 * tenth, 100 * tenth * tenth, 3 * tenth);
        }
    }
    app::parse({10 * times, 1000 * times, 128, 100, 900 * times, 4});
    app::leak({64, 64, 512, 512, 0, 0});
    app::twice({1, 3, 1024, 1000, 2, 0}, {0, 5, 192, 130, 5, 5});
    printf("\nMAPPED_LIBRARIES:\n");
    fflush(stdout);
}

void copy_maps() {
    FILE* maps = fopen("/proc/self/maps", "r");
    char line[4096];
    while (maps != nullptr && fgets(line, sizeof line, maps) != nullptr) {
        fputs(line, stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bool foreign = argc > 1 && strcmp(argv[1], "--foreign") == 0;
    const bool later = argc > 1 && strcmp(argv[1], "--later") == 0;
    with_sites = !foreign;
    with_peak = argc < 2 || strcmp(argv[1], "--old") != 0;
    write_profile(later ? 3 : 1);
    copy_maps();
    return 0;
}
