// SPDX-License-Identifier: MIT
//
// The stack by libunwind, loaded when a profile is wanted, or by the chain of frame pointers.
// Knows nothing of what it is wanted for.
// Called through backtrace.h.
#include "observe/backtrace.h"

#include "base/cancellation_blocker.h"
#include "base/errno_keeper.h"
#include "base/inspect.h"
#include "base/os.h"
#include "base/shared_libc.h"

#include <algorithm>
#include <atomic>
#include <sys/single_threaded.h>

// Weak: libunwind may have been linked.
extern "C" [[gnu::weak]] int unw_backtrace(void** frames, int capacity);

namespace hotlane::backtrace {

namespace {

using Unwind = int (*)(void** frames, int capacity);

constinit std::atomic<Unwind> unwind{nullptr};
constinit inspect::Extent own_code{};

constinit std::atomic<uint32_t> threads_inside{0};
constinit std::atomic<bool> fork_under_way{false};
constinit bool has_threads = false;            // at a fork
constinit bool forked_beside_threads = false;  // in a child

/// What precedes the first frame of the program, at most.
constexpr size_t kMostOwnFrames = 16;

template <typename Function>
Function find(const char* library, const char* name) {
    void* opened = has_shared_libc() ? hotlane_shared_dlopen(library, RTLD_NOW | RTLD_LOCAL) : nullptr;
    return opened == nullptr ? nullptr : reinterpret_cast<Function>(hotlane_shared_dlsym(opened, name));
}

Unwind find_unwinder() {
    return unw_backtrace != nullptr ? unw_backtrace : find<Unwind>("libunwind.so.8", "unw_backtrace");
}

// libunwind prepares half a MiB for each thread, at its first stack: a hundred page faults. A thread's first
// stacks are taken by the compiler's own unwinder, which prepares nothing and takes longer for each frame.
constexpr size_t kFirstFrames = 2048;
[[gnu::tls_model("initial-exec")]] constinit thread_local size_t frames_of_thread = 0;

using Visitor = int (*)(void* frame, void* argument);
using Walk = int (*)(Visitor visitor, void* argument);
using AddressIn = uintptr_t (*)(void* frame);
constinit Walk walk = nullptr;             // _Unwind_Backtrace
constinit AddressIn address_in = nullptr;  // _Unwind_GetIP

void find_first_unwinder() {
    constexpr const char* kLibrary = "libgcc_s.so.1";
    address_in = find<AddressIn>(kLibrary, "_Unwind_GetIP");
    walk = address_in == nullptr ? nullptr : find<Walk>(kLibrary, "_Unwind_Backtrace");
}

struct Walked {
    void** frames;
    size_t capacity;
    size_t count;
};

size_t walk_stack(void** frames, size_t capacity) {
    Walked walked{.frames = frames, .capacity = capacity, .count = 0};
    walk(
        [](void* frame, void* argument) {
            constexpr int kGoOn = 0;  // _URC_NO_REASON
            constexpr int kStop = 4;  // _URC_NORMAL_STOP
            auto& result = *static_cast<Walked*>(argument);
            const uintptr_t address = address_in(frame);
            if (address == 0 || result.count == result.capacity) {
                return kStop;
            }
            result.frames[result.count++] = pointer_to(address);
            return kGoOn;
        },
        &walked);
    return walked.count;
}

/// The stack that a thread was last seen on.
struct KnownStack {
    inspect::Extent extent;
    bool grows;  // the first thread's does
};
[[gnu::tls_model("initial-exec")]] constinit thread_local KnownStack known_stack{};

const KnownStack& stack_around(uintptr_t address) {
    if (!known_stack.extent.contains(address)) {
        known_stack = {.extent = inspect::mapping_around(address),
                       .grows = os::thread_id() == static_cast<uint32_t>(os::process_id())};
    }
    return known_stack;
}

/// libunwind was seen to take 4.4 KiB of stack; more for code with odd tables. A thread may have 16 KiB in
/// all.
bool has_room_for_unwinder() {
    constexpr size_t kUnwinderBytes = 12 * KiB;
    const uintptr_t here = address_of(__builtin_frame_address(0));
    const KnownStack& stack = stack_around(here);
    return stack.grows || here - stack.extent.begin > kUnwinderBytes;
}

size_t follow_frame_pointers(void** frames, size_t capacity) {
    struct Frame {
        const Frame* caller;
        void* return_address;
    };
    const auto* frame = static_cast<const Frame*>(__builtin_frame_address(0));
    const inspect::Extent stack = stack_around(address_of(frame)).extent;
    size_t count = 0;
    while (count < capacity && address_of(frame) % sizeof(void*) == 0 &&
           stack.contains(address_of(frame) + sizeof(Frame) - 1) && frame->return_address != nullptr) {
        frames[count++] = frame->return_address;
        if (frame->caller <= frame) {
            break;  // the outermost, or no frame pointer
        }
        frame = frame->caller;
    }
    return count;
}

/// Counts a thread in, unless a fork is under way: it would find the unwinder's locks held in the child.
class Visit {
  public:
    Visit() {
        threads_inside.fetch_add(1);
        admitted_ = !fork_under_way.load();
    }
    ~Visit() { threads_inside.fetch_sub(1); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    explicit operator bool() const { return admitted_; }

  private:
    bool admitted_;
};

size_t take_stack(void** frames, size_t capacity) {
    const Unwind by_tables = unwind.load(std::memory_order_acquire);
    if (by_tables != nullptr && walk != nullptr && frames_of_thread < kFirstFrames) {
        const size_t count = walk_stack(frames, capacity);
        frames_of_thread += count;
        return count;
    }
    if (by_tables != nullptr && has_room_for_unwinder()) {
        return static_cast<size_t>(std::max(by_tables(frames, static_cast<int>(capacity)), 0));
    }
    return follow_frame_pointers(frames, capacity);
}

}  // namespace

bool load(Unwinder wanted) {
    own_code = os::in_shared_object() ? inspect::own_code() : inspect::Extent{};
    if (wanted == Unwinder::frame_pointers || forked_beside_threads) {
        unwind.store(nullptr);
        return true;
    }
    find_first_unwinder();
    const Unwind found = find_unwinder();
    if (found != nullptr) {
        // The first call reads tables and takes memory.
        void* frames[kMostOwnFrames];
        found(frames, kMostOwnFrames);
    }
    unwind.store(found, std::memory_order_release);
    return found != nullptr;
}

Unwinder unwinder() { return unwind.load() != nullptr ? Unwinder::libunwind : Unwinder::frame_pointers; }

size_t capture(uintptr_t* frames, size_t capacity) {
    const Visit visit;
    if (!visit) {
        return 0;
    }
    ErrnoKeeper keep;
    CancellationBlocker uncancelled;  // libunwind reads from a pipe to see what memory there is
    void* found[kMostFrames + kMostOwnFrames];
    const size_t wanted = std::min(capacity, kMostFrames) + kMostOwnFrames;
    const size_t count = take_stack(found, wanted);
    size_t first = 0;
    while (first < count && own_code.contains(address_of(found[first]))) {
        ++first;
    }
    const size_t kept = std::min(count - first, capacity);
    std::transform(found + first, found + first + kept, frames, [](void* pc) { return address_of(pc); });
    return kept;
}

void before_fork() {
    fork_under_way.store(true);
    has_threads = __libc_single_threaded == 0;
    // Bounded: one of them may wait for what the forking thread holds (a callback of dl_iterate_phdr that
    // forks).
    constexpr int kMostWaits = 10'000;
    for (int i = 0; threads_inside.load() != 0 && i < kMostWaits; ++i) {
        os::yield_cpu();
    }
}

void after_fork() { fork_under_way.store(false); }

// libunwind asks the loader what is mapped, under a lock that a thread which was loading a library may have
// held: it will never be free in the child.
void forget_threads_in_child() {
    threads_inside.store(0);
    if (has_threads) {
        forked_beside_threads = true;
        unwind.store(nullptr);
    }
}

}  // namespace hotlane::backtrace
