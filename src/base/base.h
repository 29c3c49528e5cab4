// SPDX-License-Identifier: MIT
//
// Units, sizes, small helpers and assertions that every file uses.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace hotlane {

using std::size_t;
using std::uintptr_t;

inline constexpr size_t KiB = 1024;
inline constexpr size_t MiB = 1024 * KiB;
inline constexpr size_t GiB = 1024 * MiB;

/// The smallest page of memory that any kernel has. A unit for tables and for loops; what is passed to the kernel is
/// aligned to os::page_size(), which is 4, 16 or 64 KiB on arm64.
inline constexpr size_t kSmallestOsPage = 4 * KiB;
/// The number of bits in the addresses of a process. Kernels with more give those to programs that ask for them.
#if defined(__x86_64__)
inline constexpr unsigned kAddressBits = 47;
#else
inline constexpr unsigned kAddressBits = 48;
#endif
inline constexpr size_t kHugePageSize = 2 * MiB;

/// A page of the region: the unit of the region, and of the table that gives an address its size class.
inline constexpr unsigned kRegionPageShift = 14;
inline constexpr size_t kRegionPageSize = size_t{1} << kRegionPageShift;

#if defined(__x86_64__)
inline constexpr bool kIsX86_64 = true;
#else
inline constexpr bool kIsX86_64 = false;
#endif

#ifdef NDEBUG
inline constexpr bool kIsDebugBuild = false;
#else
inline constexpr bool kIsDebugBuild = true;
#endif

/// The largest request, in bytes, that has a size class. The fallback serves everything above.
inline constexpr size_t kLargestSmall = 64 * KiB;

/// An index into the table of size classes. 0 means "no class"; its lane is empty and full at the same time.
using ClassIndex = uint32_t;
inline constexpr ClassIndex kNoClass = 0;
inline constexpr size_t kMaxClasses = 64;

inline constexpr size_t round_up(size_t n, size_t power_of_two) {
    return (n + power_of_two - 1) & ~(power_of_two - 1);
}
inline constexpr size_t round_down(size_t n, size_t power_of_two) { return n & ~(power_of_two - 1); }
inline constexpr size_t divide_up(size_t n, size_t d) { return (n + d - 1) / d; }

inline uintptr_t address_of(const void* p) { return reinterpret_cast<uintptr_t>(p); }
inline void* pointer_to(uintptr_t address) { return reinterpret_cast<void*>(address); }

/// Tells the processor that a loop waits for another thread.
inline void pause_cpu() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#else
    asm volatile("" ::: "memory");
#endif
}

/// Loads a word that another thread may be replacing, when the old and the new value are both right. A plain
/// load, because the compiler may fold it into another instruction, which it does not do with an atomic load.
/// ThreadSanitizer gets the atomic load.
template <typename T>
[[gnu::always_inline]] inline T load_either(const T& word) {
#ifdef __SANITIZE_THREAD__
    return __atomic_load_n(&word, __ATOMIC_RELAXED);
#else
    return word;
#endif
}

/// Writes `hotlane: <file>:<line>: check failed: <condition>` to stderr and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace hotlane

/// A check in every build, for state that misuse by the program can damage. Going on would spread the damage.
#define HOTLANE_CHECK(condition)                                                                             \
    ((condition) ? (void)0 : ::hotlane::check_failed(#condition, __FILE_NAME__, __LINE__))

/// A check for bugs of hotlane. It is compiled in every build, so that it stays valid code, and evaluated in
/// debug builds only.
#ifdef NDEBUG
#define HOTLANE_ASSERT(condition) ((void)sizeof((condition) ? 1 : 0))
#else
#define HOTLANE_ASSERT(condition) HOTLANE_CHECK(condition)
#endif

/// For variables of the fast path. -fvisibility=hidden hides only definitions; a variable that is only
/// declared would be accessed through the global offset table.
#define HOTLANE_HIDDEN [[gnu::visibility("hidden")]]

/// Before a function that every process runs, in a file that few use: the linker places it before all other code. The
/// kernel makes 64 KiB of a file resident at once, so code that lies together needs less memory (src/meson.build).
#define HOTLANE_IN_EVERY_PROCESS [[gnu::hot]]

/// Before a variable that every process writes at its start or at its first request. The linker places these variables
/// together, directly before those that are zero at first. Each further page that is written costs a page fault and a copy.
#define HOTLANE_DATA_OF_EVERY_PROCESS [[gnu::section(".data1")]]
