// SPDX-License-Identifier: MIT
//
// Defines the only symbol of the compiler's start files that libhotlane.so needs; the start files themselves
// are left out. libc's pthread_atfork() and atexit() use it to tell whose handlers they are given. In the
// shared library only, because a program has its own.

extern "C" {
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
[[gnu::visibility("hidden")]] extern void* const __dso_handle;
void* const __dso_handle = const_cast<void**>(&__dso_handle);
}
