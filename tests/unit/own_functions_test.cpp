// SPDX-License-Identifier: MIT
//
// Tests that libc's own functions are found, past a definition in the program.
#include "platform/libc/own_functions.h"

#include <cerrno>
#include <dlfcn.h>
#include <gtest/gtest.h>

// The program's definition, which interposes libc's.
extern "C" int sched_yield() noexcept { return 42; }

namespace {

using namespace hotlane;

TEST(OwnFunctions, ADefinitionOfTheProgramIsPassedBy) {
    EXPECT_EQ(::sched_yield(), 42);
    EXPECT_EQ(libc::sched_yield(), 0);
}

TEST(OwnFunctions, TheyAreWhatTheDynamicLinkerFindsInLibc) {
    for (const char* name :
         {"clock_gettime", "fcntl", "madvise", "mmap", "munmap", "open", "pthread_mutex_lock",
          "pthread_setspecific", "sched_getaffinity", "sched_yield", "syscall", "write"}) {
        EXPECT_EQ(libc::own_definition(name), dlsym(RTLD_NEXT, name)) << name;
    }
}

TEST(OwnFunctions, WhatLibcDoesNotDefineIsNotFound) {
    for (const char* name : {"", "no_such_function", "main", "environ", "mmapp"}) {
        EXPECT_EQ(libc::own_definition(name), nullptr) << name;  // environ is no function
    }
}

TEST(OwnFunctions, OneWithMoreArgumentsTakesThem) {
    const int file = libc::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    EXPECT_EQ(libc::fcntl(file, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(libc::fcntl(file, F_SETFD, 0), 0);
    EXPECT_EQ(libc::fcntl(file, F_GETFD), 0);
    EXPECT_EQ(libc::close(file), 0);
    EXPECT_EQ(libc::close(file), -1);
    EXPECT_EQ(errno, EBADF);
}

}  // namespace
