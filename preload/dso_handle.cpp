// SPDX-License-Identifier: MIT
//
// The one thing that libhotlane.so needs of the compiler's start files, which are left out of it.
// Must not know hotlane. In the shared library only: a program brings its own.
// Read by libc's pthread_atfork() and atexit(), to tell whose handlers they are given.

extern "C" {
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
[[gnu::visibility("hidden")]] extern void* const __dso_handle;
void* const __dso_handle = const_cast<void**>(&__dso_handle);
}
