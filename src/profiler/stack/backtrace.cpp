// SPDX-License-Identifier: MIT
//
// Takes stacks by frame rules, by libunwind, which is loaded only when a profile is wanted, or by frame
// pointers.
#include "profiler/stack/backtrace.h"

#include "base/errno_saver.h"
#include "platform/cancellation_blocker.h"
#include "platform/libc/shared_libc.h"
#include "platform/os.h"
#include "platform/safe_read.h"
#include "profiler/stack/cfa_cache.h"
#include "sync/critical_section.h"

#include <algorithm>
#include <atomic>

// Weak: the program may be linked with libunwind already.
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

template <typename Function>
Function find(const char* library, const char* name) {
    void* opened = open_shared(library, RTLD_NOW | RTLD_LOCAL);
    return opened == nullptr ? nullptr : reinterpret_cast<Function>(hotlane_shared_dlsym(opened, name));
}

Unwind find_unwinder() {
    return unw_backtrace != nullptr ? unw_backtrace : find<Unwind>("libunwind.so.8", "unw_backtrace");
}

/// Frame rules exist for x86-64 only.
void find_frame_rules() {
    if constexpr (kIsX86_64) {
        frame_rules::set_up(find<frame_rules::FindTable>("libgcc_s.so.1", "_Unwind_Find_FDE"));
    }
}

/// What a thread knows about its current stack.
struct KnownStack {
    inspect::Extent readable;  // from the deepest frame known, outward as far as frames led
    inspect::Extent mapping;   // the whole mapping; looked up only for frames whose end is guessed
};
[[gnu::tls_model("initial-exec")]] constinit thread_local KnownStack known_stack{};

/// The address up to which the stack of this frame is known to be readable.
uintptr_t readable_end(uintptr_t sp) {
    inspect::Extent& known = known_stack.readable;
    if (!known.contains(sp)) {
        const uintptr_t page = round_down(sp, os::page_size());
        known = {.begin = page, .end = page + os::page_size()};
    }
    return known.end;
}

/// After readable_end(): whether the stack is readable up to `end`, the end of a frame.
bool is_readable_to(uintptr_t end) {
    inspect::Extent& known = known_stack.readable;
    if (end > known.end && inspect::is_readable(known.end, end)) {
        known.end = round_up(end, os::page_size());
    }
    return end <= known.end;
}

/// Whether `end` is on the same stack as `sp`. A guessed end of a frame may be any address, even one that is
/// readable at the moment.
bool is_on_stack(uintptr_t sp, uintptr_t end) {
    inspect::Extent& mapping = known_stack.mapping;
    if (!mapping.contains(sp)) {
        mapping = inspect::mapping_around(sp);
    }
    return mapping.contains(end - 1);
}

/// libunwind was seen to use 4.4 KiB of stack; it uses more for code with unusual tables. A thread may have
/// only 16 KiB in all. The first thread's stack grows by itself.
bool has_room_for_unwinder() {
    constexpr size_t kUnwinderBytes = 12 * KiB;
    const uintptr_t here = address_of(__builtin_frame_address(0));
    return os::thread_id() == static_cast<uint32_t>(os::process_id()) ||
           inspect::is_readable(here - kUnwinderBytes, here);
}

/// Counts the threads that are inside the unwinder. While a fork is under way it admits none, because the
/// child would find the unwinder's locks held.
class Visit {
  public:
    Visit() {
        // Pairs with before_fork(), which stores the flag and then loads the count: at least one side sees
        // the other.
        threads_inside.fetch_add(1);
        admitted_ = !fork_under_way.load();
    }
    ~Visit() { threads_inside.fetch_sub(1); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    explicit operator bool() const { return admitted_; }

  private:
    CriticalSection critical_;
    bool admitted_;
};

using frame_rules::Frame;

/// In code that keeps frame pointers, a frame has a record: the caller's frame pointer, then the return address. Where
/// the frame pointer points depends on the processor: to the record, or behind it.
#if defined(__x86_64__) || defined(__aarch64__)
constexpr bool kHasRecords = true;
constexpr size_t kRecordBelowPointer = 0;
#elif defined(__riscv)
constexpr bool kHasRecords = true;
constexpr size_t kRecordBelowPointer = 2 * sizeof(uintptr_t);
#else
constexpr bool kHasRecords = false;  // unknown: only libunwind finds frames
constexpr size_t kRecordBelowPointer = 0;
#endif

uintptr_t record_of(const Frame& frame) { return frame.fp - kRecordBelowPointer; }

/// Moves to the caller's frame, in code that keeps frame pointers.
void leave(Frame& frame) {
    const auto* const record = reinterpret_cast<const uintptr_t*>(record_of(frame));
    frame = {.pc = record[1], .sp = address_of(record + 2), .fp = record[0]};
}

/// The innermost frame that is not of this library, whose own code always keeps frame pointers.
[[gnu::noinline]] Frame frame_of_program() {
#if defined(__riscv)
    asm volatile("" ::: "ra");  // a function that calls no other would save no return address
#endif
    Frame frame{.pc = 0, .sp = 0, .fp = address_of(__builtin_frame_address(0))};
    if (!kHasRecords) {
        return frame;
    }
    do {
        leave(frame);
    } while (own_code.contains(frame.pc));
    return frame;
}

size_t follow_frame_pointers(Frame frame, uintptr_t* frames, size_t capacity) {
    size_t count = 0;
    while (count < capacity && frame.pc != 0) {
        frames[count++] = frame.pc;
        const uintptr_t record = record_of(frame);
        const bool has_caller = record - frame.sp < frame_rules::kLargestFrame &&
                                record % sizeof(uintptr_t) == 0 &&
                                is_on_stack(frame.sp, record + 2 * sizeof(uintptr_t));
        if (!has_caller) {
            break;  // the outermost frame, or no frame pointer
        }
        leave(frame);
    }
    return count;
}

/// Learns the rule of a frame. Returns false if a fork is under way.
bool learn(uintptr_t pc) {
    const Visit visit;
    if (visit) {
        frame_rules::learn(pc);
    }
    return static_cast<bool>(visit);
}

bool learn_without_locks(uintptr_t pc) {
    frame_rules::learn_without_locks(pc);
    return true;
}

/// `complete` tells whether the walk reached the end of the stack, or `capacity`.
template <bool learn_rule(uintptr_t)>
size_t follow_rules(const Frame& innermost, uintptr_t* frames, size_t capacity, bool& complete) {
    complete = false;
    frame_rules::Walk walk{.at = innermost,
                           .readable_end = readable_end(innermost.sp),
                           .frames = frames,
                           .capacity = capacity,
                           .count = 0,
                           .needed_end = 0,
                           .guessed = false};
    for (;;) {
        switch (frame_rules::follow(walk)) {
        case frame_rules::Stop::done:
            complete = true;
            return walk.count;
        case frame_rules::Stop::no_rule:
            return walk.count;
        case frame_rules::Stop::beyond:
            if (walk.guessed ? !is_on_stack(walk.at.sp, walk.needed_end) : !is_readable_to(walk.needed_end)) {
                return walk.count;
            }
            walk.readable_end = walk.needed_end;
            break;
        case frame_rules::Stop::unseen:
            if (!learn_rule(walk.at.pc)) {
                return walk.count;
            }
        }
    }
}

/// Follows rules as far as they lead. If not even the innermost frame has a rule, or the processor is not
/// x86-64, it follows frame pointers.
size_t follow_without_locks(const Frame& innermost, uintptr_t* frames, size_t capacity) {
    bool complete = false;
    const size_t count =
        kIsX86_64 ? follow_rules<learn_without_locks>(innermost, frames, capacity, complete) : 0;
    return count != 0 ? count : follow_frame_pointers(innermost, frames, capacity);
}

/// The most frames that can precede the first frame of the program.
constexpr size_t kMostOwnFrames = 16;

size_t ask_unwinder(Unwind unwinder, uintptr_t* frames, size_t capacity) {
    const Visit visit;
    if (!visit) {
        return 0;
    }
    CancellationBlocker uncancelled;  // libunwind reads from a pipe to find out what memory is readable
    void* found[kMostFrames + kMostOwnFrames];
    const size_t wanted = std::min(capacity, kMostFrames) + kMostOwnFrames;
    void** const end = found + std::max(unwinder(found, static_cast<int>(wanted)), 0);
    void** const first =
        std::find_if_not(found, end, [](void* pc) { return own_code.contains(address_of(pc)); });
    const size_t count = std::min<size_t>(end - first, capacity);
    std::transform(first, first + count, frames, [](void* pc) { return address_of(pc); });
    return count;
}

}  // namespace

bool load(Unwinder wanted) {
    own_code = os::in_shared_object() ? inspect::own_code() : inspect::Extent{};
    if (wanted == Unwinder::frame_pointers || forked_beside_threads) {
        unwind.store(nullptr);
        return true;
    }
    find_frame_rules();
    const Unwind found = find_unwinder();
    if (found != nullptr) {
        // The first call reads tables and allocates.
        void* frames[kMostOwnFrames];
        found(frames, kMostOwnFrames);
    }
    // Pairs with the acquire in capture(): the tables that the first call read are in place.
    unwind.store(found, std::memory_order_release);
    return found != nullptr;
}

Unwinder unwinder() { return unwind.load() != nullptr ? Unwinder::libunwind : Unwinder::frame_pointers; }

size_t capture(uintptr_t* frames, size_t capacity) {
    ErrnoSaver keep;
    const Frame innermost = frame_of_program();
    if (const Unwind by_tables = unwind.load(std::memory_order_acquire)) {
        bool complete = false;
        if (const size_t count = follow_rules<learn>(innermost, frames, capacity, complete); complete) {
            return count;
        }
        if (has_room_for_unwinder()) {
            return ask_unwinder(by_tables, frames, capacity);
        }
    }
    return follow_frame_pointers(innermost, frames, capacity);
}

size_t capture_interrupted(const Registers& at, uintptr_t* frames, size_t capacity) {
    ErrnoSaver keep;
    if (at.pc == 0) {
        return 0;
    }
    const Frame innermost{.pc = at.pc + 1, .sp = at.sp, .fp = at.fp};
    return follow_without_locks(innermost, frames, capacity);
}

size_t capture_without_locks(uintptr_t* frames, size_t capacity) {
    ErrnoSaver keep;
    if (own_code.end == 0 && os::in_shared_object()) {
        own_code = inspect::own_code();  // load() was not called: no profile was wanted
    }
    return follow_without_locks(frame_of_program(), frames, capacity);
}

void before_fork() {
    fork_under_way.store(true);
    has_threads = os::has_threads();
    // The wait is bounded. A thread inside may itself wait for a lock that the forking thread holds, for
    // example when a callback of dl_iterate_phdr forks.
    constexpr int kMostWaits = 1'000;
    for (int i = 0; threads_inside.load() != 0 && i < kMostWaits; ++i) {
        os::pause_briefly();
    }
}

void after_fork() { fork_under_way.store(false); }

// libunwind asks the loader what is mapped, under a lock. If another thread held it at the fork, because it
// was loading a library, it is never released in the child.
void forget_threads_in_child() {
    threads_inside.store(0);
    if (has_threads) {
        forked_beside_threads = true;
        unwind.store(nullptr);
    }
}

}  // namespace hotlane::backtrace
