// SPDX-License-Identifier: MIT
//
// Fuzzes the allocator with any bytes as a program: requests of every kind, frees on this and on other
// threads, purges and forks, with a pattern in every byte of every object.
#include "input.h"
#include "lifecycle/fork.h"
#include "malloc/allocator.h"
#include "stats/snapshot.h"

#include <cerrno>
#include <cstring>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace hotlane;
using fuzz::require;

namespace {

struct Object {
    unsigned char* bytes;
    size_t size;
    unsigned char pattern;
};

class Program {
  public:
    explicit Program(fuzz::Input input) : input_{input} {}

    void run() {
        while (!input_.at_end()) {
            step();
        }
        while (!live_.empty()) {
            release_one();
        }
    }

  private:
    static constexpr size_t kMostObjects = 4096;
    static constexpr int kMostThreads = 2;
    static constexpr int kMostForks = 1;

    void step() {
        switch (input_.byte() % 12) {
        case 0:
        case 1:
        case 2:
            last_size_ = any_size();
            return keep(allocate(last_size_), last_size_);
        case 3:
            return keep(allocate(last_size_), last_size_);
        case 4:
            return take_zeroed();
        case 5:
            return take_aligned();
        case 6:
            return resize();
        case 7:
        case 8:
            return release_one();
        case 9:
            return release_many();
        case 10:
            return on_another_thread();
        default:
            return rarely();
        }
    }

    size_t any_size() {
        const uint8_t scale = input_.byte();
        const size_t n = input_.number(65536);
        return scale < 128 ? n % 1025 : scale < 250 ? n : 8 * n;
    }
    void keep(void* p, size_t n) {
        require(p != nullptr, "memory");
        require(usable_size(p) >= n, "room for what was asked for");
        const auto pattern = static_cast<unsigned char>(reinterpret_cast<uintptr_t>(p) >> 4U ^ n);
        memset(p, pattern, n);
        live_.push_back({static_cast<unsigned char*>(p), n, pattern});
        if (live_.size() > kMostObjects) {
            release_one();
        }
    }
    /// Compares the bytes with themselves, shifted by one. libFuzzer records each comparison in this code, so
    /// a loop over the bytes would take nine tenths of the time.
    static bool is_all(const unsigned char* bytes, size_t n, unsigned char value) {
        return n == 0 || (*bytes == value && memcmp(bytes, bytes + 1, n - 1) == 0);
    }
    static void check(const Object& object, size_t n) {
        require(is_all(object.bytes, n, object.pattern), "contents that nobody else wrote to");
    }
    Object take() {
        std::swap(live_[input_.number(65536) % live_.size()], live_.back());
        const Object object = live_.back();
        live_.pop_back();
        check(object, object.size);
        return object;
    }
    void release_one() {
        if (!live_.empty()) {
            const Object object = take();
            object.pattern % 2 == 0 ? release(object.bytes) : release_sized(object.bytes, object.size);
        }
    }
    void release_many() {
        for (size_t count = input_.byte(); count != 0; --count) {
            release_one();
        }
    }
    void take_zeroed() {
        const size_t n = any_size();
        auto* p = static_cast<unsigned char*>(allocate_zeroed(1, n));
        require(p != nullptr, "memory");
        require(is_all(p, n, 0), "zeroes");
        keep(p, n);
    }
    void take_aligned() {
        const size_t alignment = size_t{1} << input_.byte() % 17;
        const size_t n = any_size();
        void* p = allocate_memalign(alignment, n);
        require(reinterpret_cast<uintptr_t>(p) % alignment == 0, "the alignment that was asked for");
        keep(p, n);
    }
    void resize() {
        if (live_.empty()) {
            return;
        }
        Object object = take();
        const size_t n = any_size() + 1;
        object.bytes = static_cast<unsigned char*>(reallocate(object.bytes, n));
        require(object.bytes != nullptr, "memory");
        check(object, object.size < n ? object.size : n);
        keep(object.bytes, n);
    }
    void on_another_thread() {
        if (threads_++ < kMostThreads) {
            std::thread{[this] {
                release_many();
                for (size_t count = input_.byte() % 64; count != 0; --count) {
                    keep(allocate(last_size_), last_size_);
                }
            }}.join();
        }
    }
    void rarely() {
        // With a sanitizer, a fork takes as long as thousands of requests.
        if (input_.byte() % 32 != 31) {
            purge_everything();
        } else if (forks_++ < kMostForks) {
            fork_once();
        }
    }
    /// The child has all objects, and allocates and frees as before.
    void fork_once() {
        before_fork();
        const pid_t child = fork();
        if (child == 0) {
            after_fork_child();
            forks_ = kMostForks;
            run();
            _exit(0);
        }
        after_fork_parent();
        require(child > 0, "a child");
        int status = 0;
        pid_t ended = 0;
        do {
            ended = waitpid(child, &status, 0);
        } while (ended < 0 && errno == EINTR);  // caused by libFuzzer's timer
        require(ended == child && status == 0, "a child that ends well");
    }

    fuzz::Input input_;
    std::vector<Object> live_;
    size_t last_size_ = 100;
    int threads_ = 0;
    int forks_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    ensure_started();
    Program{fuzz::Input{data, size}}.run();
    return 0;
}
