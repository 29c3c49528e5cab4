// SPDX-License-Identifier: MIT
//
// The two pthread keys that announce the end of a thread, and how one of them gets the highest number.
#include "sync/thread_end.h"

#include "platform/libc/own_functions.h"
#include "platform/os.h"
#include "sync/lock.h"

#include <atomic>
#include <bitset>
#include <climits>
#include <pthread.h>
#include <utility>

namespace hotlane::thread_end {

namespace {

constexpr size_t kParts = static_cast<size_t>(Part::count);

/// The number of the key that comes after all others. Keys are given out from 0 upwards, so a higher number
/// is in use only if the program has nearly a thousand keys. The numbers above it are left to threads that
/// create keys while hold_all_up_to_last() holds all lower ones.
constexpr pthread_key_t kLastKey = 991;
constexpr uint8_t kKeyArrays = PTHREAD_KEYS_MAX / 32 - 1;  // that libc allocates for a thread
constexpr uint64_t kRetryNs = 100'000'000;

HOTLANE_DATA_OF_EVERY_PROCESS constinit Lock lock{LockRank::thread_end};
constinit pthread_key_t first_thread_key;  // may have any number; used for the first thread only
constinit bool has_first_thread_key = false;
constinit pthread_t first_thread;                 // 0: unknown
constinit std::atomic<bool> has_last_key{false};  // the key with number kLastKey exists; it is never deleted
constinit std::atomic<uint64_t> retry_at_ns{0};

constinit std::atomic<void (*)(void*)> functions[kParts];

/// The state of the calling thread.
struct End {
    void* arguments[kParts] = {};
    bool is_to_come = false;
    bool is_busy = false;  // at its end, or setting a key, which allocates and so may lead here again
    /// False until the dynamic linker gives the first thread's variables their initial values. Before that, the
    /// resolvers of a program's ifuncs run. What they would store in a thread-local variable is overwritten.
    bool is_initialised = true;
    bool is_guarded = false;     // there is a KeyArrayGuard
    uint8_t arrays_guarded = 0;  // by KeyArrayGuards so far
};
[[gnu::tls_model("initial-exec")]] constinit thread_local End end;

void on_thread_end(void*) {
    End& end = thread_end::end;
    end.is_to_come = false;
    end.is_busy = true;
    for (size_t part = 0; part < kParts; ++part) {
        if (void* const argument = std::exchange(end.arguments[part], nullptr); argument != nullptr) {
            functions[part].load(std::memory_order_relaxed)(argument);
        }
    }
    end.is_busy = false;
}

bool set_key(pthread_key_t key) { return libc::pthread_setspecific(key, &end) == 0; }

/// Whether a key with this number exists. Leaves its value as it is. Never allocates, because it sets the
/// value that the key has already, or null.
bool is_in_use(pthread_key_t key) {
    return libc::pthread_setspecific(key, libc::pthread_getspecific(key)) == 0;
}

bool is_any_in_use_above_last() {
    for (pthread_key_t key = kLastKey + 1; key < PTHREAD_KEYS_MAX; ++key) {
        if (is_in_use(key)) {
            return true;
        }
    }
    return false;
}

/// Creates every free key up to kLastKey. Returns false if another thread creates keys at this moment (it may
/// need those that are left), or if kLastKey is in use.
bool hold_all_up_to_last(std::bitset<PTHREAD_KEYS_MAX>& held) {
    for (pthread_key_t wanted = 0; wanted <= kLastKey; ++wanted) {
        if (is_in_use(wanted)) {
            continue;
        }
        pthread_key_t key = 0;
        if (libc::pthread_key_create(&key, wanted == kLastKey ? on_thread_end : nullptr) != 0) {
            return false;
        }
        held[key] = true;
        if (key != wanted) {
            return false;
        }
    }
    return held[kLastKey];
}

bool create_last_key() {
    std::bitset<PTHREAD_KEYS_MAX> held;
    const bool has_all = hold_all_up_to_last(held);
    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; ++key) {
        if (held[key] && !(has_all && key == kLastKey)) {
            libc::pthread_key_delete(key);
        }
    }
    return has_all;
}

bool ensure_last_key() {
    if (has_last_key.load(std::memory_order_acquire)) [[likely]] {
        return true;
    }
    const uint64_t now = os::coarse_ns();
    LockGuard guard(lock);
    if (has_last_key.load(std::memory_order_relaxed)) {
        return true;
    }
    if (now < retry_at_ns.load(std::memory_order_relaxed)) {
        return false;
    }
    const bool created = create_last_key();
    retry_at_ns.store(now + kRetryNs, std::memory_order_relaxed);
    // Pairs with the acquire above: a thread that reads true may set the key.
    has_last_key.store(created, std::memory_order_release);
    return created;
}

/// Sets a key whose destructor is certain to be called for the calling thread. False: there is none.
bool set_certain_key() {
    if (first_thread != 0 && pthread_self() == first_thread) {
        if (has_first_thread_key) {
            set_key(first_thread_key);
        }
        return true;  // without a key, its end is missed, which does no harm: its storage is never freed
    }
    return ensure_last_key() && !is_any_in_use_above_last() && set_key(kLastKey);
}

}  // namespace

void set_up() {
    if (os::thread_id() == static_cast<uint32_t>(os::process_id())) {
        first_thread = pthread_self();
    }
    if (!has_first_thread_key) {
        has_first_thread_key = libc::pthread_key_create(&first_thread_key, on_thread_end) == 0;
    }
}

void declare(Part part, void (*function)(void*)) {
    functions[static_cast<size_t>(part)].store(function, std::memory_order_relaxed);
}

bool prepare() {
    End& end = thread_end::end;
    if (end.is_busy || !end.is_initialised || end.is_guarded) {
        return false;
    }
    if (!end.is_to_come) {
        end.is_busy = true;
        end.is_to_come = set_certain_key();
        end.is_busy = false;
    }
    return true;
}

bool expect(Part part, void* argument) {
    End& end = thread_end::end;
    if (!prepare() || !end.is_to_come) {
        return false;
    }
    end.arguments[static_cast<size_t>(part)] = argument;
    return true;
}

bool KeyArrayGuard::begin() {
    End& end = thread_end::end;
    // Whoever asks for more memory of this size is not libc.
    if (end.is_to_come || end.is_guarded || end.arrays_guarded == kKeyArrays) {
        return false;
    }
    ++end.arrays_guarded;
    end.is_guarded = true;
    return true;
}

void KeyArrayGuard::end() { thread_end::end.is_guarded = false; }

bool is_busy() { return end.is_busy; }

bool is_to_come() { return end.is_to_come; }

void lock_for_fork() { lock.lock(); }
void unlock_after_fork() { lock.unlock(); }

}  // namespace hotlane::thread_end
