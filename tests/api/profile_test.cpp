// SPDX-License-Identifier: MIT
//
// Profiles that go to descriptors and functions instead of files: what fails, and how that is told.
#include <hotlane/hotlane.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <string>
#include <thread>
#include <unistd.h>

namespace {

struct Pipe {
    explicit Pipe(int flags = 0) {
        if (pipe2(ends, flags) != 0) {
            abort();
        }
    }
    ~Pipe() {
        close_end(0);
        close_end(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close_end(int end) {
        if (ends[end] >= 0) {
            close(ends[end]);
        }
        ends[end] = -1;
    }
    int ends[2];
};

int append(void* context, const void* bytes, size_t count) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), count);
    return 0;
}

std::string collected() {
    std::string text;
    EXPECT_EQ(hotlane_profile_pprof_to(append, &text), 0);
    return text;
}

/// Two functions for each depth, which no compiler may take for one.
template <int kDepth, bool kRight>
[[gnu::noinline]] void* allocate_below(unsigned path) {
    void* p = nullptr;
    if constexpr (kDepth == 0) {
        p = malloc(100);
    } else {
        p = (path >> kDepth & 1) != 0 ? allocate_below<kDepth - 1, true>(path)
                                      : allocate_below<kDepth - 1, false>(path);
    }
    asm volatile("" : "+r"(p) : "i"(kRight));
    return p;
}

/// Each test that needs a profile samples a thousand different stacks.
class Profiled : public testing::Test {
  protected:
    Profiled() {
        EXPECT_EQ(hotlane_profile_start(1), 0);
        for (unsigned path = 0; path < 1024; ++path) {
            free(allocate_below<10, true>(path << 1));
        }
        hotlane_profile_stop();
    }
};

using Print = int (*)(int);
constexpr Print kPrints[] = {hotlane_profile_pprof, hotlane_profile_print};

int print_statistics(int fd) { return hotlane_stats_print(fd, HOTLANE_PROMETHEUS); }

/// Returns the error of a call that fails.
int error_of(Print print, int fd) {
    errno = 0;
    EXPECT_EQ(print(fd), -1);
    return errno;
}

}  // namespace

// The first test: no profile is there yet.
TEST(NoProfile, IsTold) {
    for (const Print print : kPrints) {
        EXPECT_EQ(error_of(print, STDERR_FILENO), ENODATA);
    }
    std::string text;
    errno = 0;
    EXPECT_EQ(hotlane_profile_pprof_to(append, &text), -1);
    EXPECT_EQ(errno, ENODATA);
    EXPECT_EQ(text, "");
}

TEST_F(Profiled, BadDescriptors) {
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    const int unwritable = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (const Print print : kPrints) {
        EXPECT_EQ(error_of(print, -1), EBADF);
        EXPECT_EQ(error_of(print, 1000), EBADF);
        EXPECT_EQ(error_of(print, unwritable), EBADF);
        EXPECT_EQ(error_of(print, full), ENOSPC);
    }
    close(full);
    close(unwritable);
}

TEST_F(Profiled, ClosedPipeCausesNoSignal) {
    ASSERT_EQ(signal(SIGPIPE, SIG_DFL), SIG_DFL);
    for (const Print print : kPrints) {
        Pipe pipe;
        pipe.close_end(0);
        EXPECT_EQ(error_of(print, pipe.ends[1]), EPIPE);
    }
}

TEST_F(Profiled, FullPipeThatDoesNotWait) {
    for (const Print print : kPrints) {
        const Pipe pipe{O_NONBLOCK};
        EXPECT_EQ(error_of(print, pipe.ends[1]), EAGAIN);
    }
}

TEST_F(Profiled, SuccessKeepsErrno) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (const Print print : kPrints) {
        errno = E2BIG;
        EXPECT_EQ(print(null), 0);
        EXPECT_EQ(errno, E2BIG);
    }
    close(null);
}

// The reader waits until others have used the library: a writer that held a lock meanwhile would hang.
TEST_F(Profiled, SlowReaderStopsNobody) {
    for (const Print print :
         std::initializer_list<Print>{hotlane_profile_pprof, hotlane_profile_print, print_statistics}) {
        Pipe pipe;
        fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096);
        std::atomic<int> result{1};
        std::thread writer([&] {
            result = print(pipe.ends[1]);
            pipe.close_end(1);
        });
        std::string first(4096, '\0');
        ASSERT_GT(read(pipe.ends[0], first.data(), first.size()), 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        hotlane_profile_start(1);
        free(allocate_below<10, true>(0));
        hotlane_profile_stop();
        hotlane_statistics statistics;
        EXPECT_NE(hotlane_stats(&statistics, sizeof statistics), 0U);
        EXPECT_EQ(hotlane_profile_pprof_to([](void*, const void*, size_t) { return 0; }, nullptr), 0);
        char rest[512];
        while (read(pipe.ends[0], rest, sizeof rest) > 0) {
        }
        writer.join();
        EXPECT_EQ(result, 0);
    }
}

TEST_F(Profiled, FunctionGetsWhatADescriptorGets) {
    Pipe pipe;
    std::string written;
    std::thread reader([&] {
        char part[4096];
        for (ssize_t count = 0; (count = read(pipe.ends[0], part, sizeof part)) > 0;) {
            written.append(part, static_cast<size_t>(count));
        }
    });
    EXPECT_EQ(hotlane_profile_pprof(pipe.ends[1]), 0);
    pipe.close_end(1);
    reader.join();
    const std::string text = collected();
    EXPECT_GT(text.size(), 10'000U);
    EXPECT_EQ(text.find("inuse_space"), written.find("inuse_space"));
    EXPECT_NEAR(static_cast<double>(text.size()), static_cast<double>(written.size()),
                2000);  // the string grew
}

TEST_F(Profiled, FunctionMayEndIt) {
    int calls = 0;
    const auto refuse = [](void* context, const void*, size_t count) {
        EXPECT_LE(count, 4096U);
        errno = ECANCELED;
        return ++*static_cast<int*>(context) == 2 ? -1 : 0;
    };
    EXPECT_EQ(hotlane_profile_pprof_to(refuse, &calls), -1);
    EXPECT_EQ(errno, ECANCELED);
    EXPECT_EQ(calls, 2);
}
