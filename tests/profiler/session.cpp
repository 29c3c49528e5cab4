// SPDX-License-Identifier: MIT
//
// Does what its arguments say, one after the other: allocates in one of two places, frees, forks, starts and
// stops profiles, and writes them.
//
//   a:N b:N    allocates N objects of 1,000 bytes in place_a or place_b     drop     frees all objects
//   start:N stop dump dump:PATH     calls the interface; prints what a dump returned
//   print:PATH pprof:PATH collect:PATH     the same by descriptor, and in pprof's format by descriptor or function
//   raise      sends itself SIGUSR2, and makes a request that takes a slow path
//   child:...  forks a child that does this one action and ends
//   until:PATH allocates until this file exists     storm:PATH   writes profiles there until it is killed
//   thread     starts a thread that does nothing     status:N   sets the exit status
//   sandbox    from now on the kernel ends the process when it opens a file     closefrom   closes all but the first three, and opens others
//   work:N     allocates and frees for N milliseconds     quit   ends without a profile
//   hold:N     allocates N MB and writes to them
//   size:N     objects have N bytes from now on      named:NAME=...   does one action in a thread of this name
#include "../programs/check.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <hotlane/hotlane.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>

namespace {

void* held[100'000];
size_t held_count = 0;
int status = 0;
size_t size = 1000;

void* kept(void* p) {
    asm volatile("" : "+r"(p));
    return p;
}

}  // namespace

extern "C" [[gnu::noinline]] void* place_a() { return kept(malloc(size)); }
extern "C" [[gnu::noinline]] void* place_b() { return kept(calloc(1, size)); }

namespace {

void hold(void* (*place)(), long count) {
    for (long i = 0; i < count; ++i) {
        CHECK(held_count < std::size(held), "too many objects");
        held[held_count++] = place();
    }
}

void drop() {
    while (held_count != 0) {
        free(held[--held_count]);
    }
}

void take_slow_path() { free(opaque(malloc(1 << 20))); }

void do_one(std::string_view action);

int open_new(const char* path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0, "cannot create %s", path);
    return fd;
}

void print(const char* path, int (*print_to)(int fd)) {
    const int fd = open_new(path);
    CHECK(print_to(fd) == 0, "not printed: %s", strerror(errno));
    close(fd);
}

int collect(int fd) {
    const auto write_to = [](void* context, const void* bytes, size_t count) {
        return write(*static_cast<int*>(context), bytes, count) == static_cast<ssize_t>(count) ? 0 : -1;
    };
    return hotlane_profile_pprof_to(write_to, &fd);
}

void in_child(std::string_view action) {
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        do_one(action);
        exit(status);
    }
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child && how == 0, "the child ended with 0x%x", how);
}

/// A filter of system calls, as a program installs it that needs no more files.
void enter_sandbox() {
    constexpr auto kSize = static_cast<unsigned short>(4);
    sock_filter rules[kSize] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{kSize, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        printf("no filters here\n");
        exit(0);
    }
}

/// Other files then have the numbers, also that of the file from which the profiler reads the resident memory.
void close_all() {
    closefrom(3);
    const int file = memfd_create("numbers", MFD_CLOEXEC);
    CHECK(write(file, "9 9 9\n", 6) == 6 && dup2(file, 1000) == 1000, "no file");
}

void work_for(long milliseconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (std::chrono::steady_clock::now() < end) {
        free(place_b());
        take_slow_path();
    }
}

void in_thread(const std::string& name_and_action) {
    const size_t equals = name_and_action.find('=');
    std::thread([&] {
        free(place_b());  // a thread may be named after its first sample
        pthread_setname_np(pthread_self(), name_and_action.substr(0, equals).c_str());
        do_one(std::string_view{name_and_action}.substr(equals + 1));
    }).join();
}

void storm(const char* path) {
    std::thread([] {
        for (;;) {
            free(place_b());
        }
    }).detach();
    for (;;) {
        CHECK(hotlane_profile_dump(path) == 0, "no dump");
    }
}

void do_one(std::string_view action) {
    const size_t colon = action.find(':');
    const std::string_view name = action.substr(0, colon);
    const std::string value{colon == std::string_view::npos ? "" : action.substr(colon + 1)};
    const long number = strtol(value.c_str(), nullptr, 10);
    if (name == "a" || name == "b") {
        hold(name == "a" ? place_a : place_b, number);
    } else if (name == "drop") {
        drop();
    } else if (name == "start") {
        printf("start %d\n", hotlane_profile_start(static_cast<size_t>(number)));
    } else if (name == "stop") {
        hotlane_profile_stop();
    } else if (name == "dump") {
        printf("dump %d\n", hotlane_profile_dump(value.empty() ? nullptr : value.c_str()));
    } else if (name == "print") {
        print(value.c_str(), hotlane_profile_print);
    } else if (name == "pprof") {
        print(value.c_str(), hotlane_profile_pprof);
    } else if (name == "collect") {
        print(value.c_str(), collect);
    } else if (name == "raise") {
        raise(SIGUSR2);
        take_slow_path();
    } else if (name == "thread") {
        std::thread([] { pause(); }).detach();
    } else if (name == "child") {
        fflush(stdout);
        in_child(value);
    } else if (name == "until") {
        while (access(value.c_str(), F_OK) != 0) {
            take_slow_path();
        }
    } else if (name == "storm") {
        storm(value.c_str());
    } else if (name == "sandbox") {
        enter_sandbox();
    } else if (name == "closefrom") {
        close_all();
    } else if (name == "work") {
        work_for(number);
    } else if (name == "hold") {
        const size_t bytes = static_cast<size_t>(number) * 1'000'000;
        memset(opaque(malloc(bytes)), 1, bytes);
    } else if (name == "quit") {
        _exit(status);
    } else if (name == "size") {
        size = static_cast<size_t>(number);
    } else if (name == "named") {
        in_thread(value);
    } else if (name == "status") {
        status = static_cast<int>(number);
    } else {
        CHECK(false, "no action %s", std::string(action).c_str());
    }
}

}  // namespace

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
        do_one(arguments[i]);
    }
    return status;
}
