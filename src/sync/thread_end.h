// SPDX-License-Identifier: MIT
//
// Calls functions when a thread ends, by the destructor of a pthread key that is certain to be called. The
// thread caches and the private jemalloc need this because they keep pointers into thread-local storage.
#pragma once

#include "base/base.h"

namespace hotlane::thread_end {

// glibc calls the destructors of a thread's keys in up to four rounds, each in the order of the keys'
// numbers. A thread may allocate for the first time in such a destructor, even in the last round. A key with
// a lower number has had its turn by then and is not called again. So hotlane's key has a higher number than
// every other key: whichever destructor allocates, hotlane's is called after it in the same round.

/// The parts that have something to do when a thread ends, in the order in which they are called.
enum class Part : uint8_t { fallback, cache, count };

/// Creates the key for the first thread of the process, whose thread-local storage lives as long as the
/// process. The key for all other threads is created when the first of them needs it, because that takes most
/// of a millisecond.
void set_up();

/// Sets the function that is called for a part at the end of a thread, with the argument that was passed to
/// expect(). Must be called before the first expect() of that part.
void declare(Part part, void (*function)(void*));

/// Arranges that the end of the calling thread calls the part's function once with `argument`, which is not
/// null. Returns false if that is not certain: there are too many keys, there is no memory, the thread is
/// already at its end, its thread-local variables do not have their initial values yet, or there is a KeyArrayGuard. May
/// allocate if prepare() has not been called in this thread.
[[nodiscard]] bool expect(Part part, void* argument);

/// Allocates now what expect() would allocate. Call it before taking a lock under which a part may call
/// expect(). Returns false if this thread is setting its key or is at its end, and that led to this call, if its
/// thread-local variables do not have their initial values yet, or if there is a KeyArrayGuard.
bool prepare();

/// Whether the calling thread is setting the key or is at its end. What it allocates then is allocated by
/// libc for the key, or comes after everything else in the thread. Never allocates.
bool is_busy();

// libc keeps a thread's values of 32 keys in one array (the first 32 keys excepted). pthread_setspecific allocates the
// array for the first value, and stores its address afterwards. If hotlane set its own key in between, and the key
// belonged to the same 32, libc would replace the array and lose the value.

/// The size of such an array, which libc allocates with calloc.
inline constexpr size_t kKeyArrayBytes = size_t{32} * 2 * sizeof(void*);

/// For a calloc of `bytes` bytes in a thread whose end is not expected yet: while this object exists, prepare() and
/// expect() do nothing and return false, if libc may be allocating such an array. Never allocates.
class KeyArrayGuard {
  public:
    explicit KeyArrayGuard(size_t bytes) : holds_(bytes == kKeyArrayBytes && begin()) {}
    ~KeyArrayGuard() {
        if (holds_) [[unlikely]] {
            end();
        }
    }
    KeyArrayGuard(const KeyArrayGuard&) = delete;
    KeyArrayGuard& operator=(const KeyArrayGuard&) = delete;

  private:
    static bool begin();
    static void end();

    bool holds_;
};

/// Whether it is certain that the end of the calling thread is still to come. Never allocates.
bool is_to_come();

/// Held around fork(), so that no key is half created in the child.
void lock_for_fork();
void unlock_after_fork();

}  // namespace hotlane::thread_end
