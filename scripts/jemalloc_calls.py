# SPDX-License-Identifier: MIT
"""The functions that jemalloc calls and hotlane implements (src/fallback/jemalloc_stubs.cpp gives the reasons)."""

ANSWERED = ["clock_gettime", "dlsym", "gettimeofday", "madvise", "mmap", "mprotect", "munmap", "pthread_atfork",
            "pthread_key_create", "pthread_mutex_init", "pthread_mutex_lock", "pthread_mutex_trylock",
            "pthread_mutex_unlock", "pthread_setspecific", "readlink", "sched_getaffinity", "sched_getcpu", "sched_yield",
            "syscall"]
