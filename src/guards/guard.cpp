// SPDX-License-Identifier: MIT
//
// Allocates and frees guarded objects, and reports misuse of them.
//
// Stacks are taken without locks of the loader, because another thread may hold one until this thread goes
// on. Reports are written after our lock is released, because a handler of SIGABRT may allocate.
#include "guards/guard.h"

#include "guards/faults.h"
#include "guards/guard_report.h"
#include "profiler/sampler.h"
#include "profiler/stack/backtrace.h"
#include "sync/lock.h"

#include <algorithm>
#include <atomic>

namespace hotlane::guard {

constinit inspect::Extent slots{};

namespace {

constinit Lock lock{LockRank::guards};
constinit GuardPool pool;               // protected by the lock
constinit uint64_t taken_count = 0;     // protected by the lock
constinit uint32_t forking_thread = 0;  // protected by the lock
constinit Settings settings;
constinit std::atomic<uint64_t> next_allowed_ns{0};
constinit std::atomic<uint64_t> reports{0};

/// The cost of guards is bounded, because every change of protection also slows down other threads. On
/// average one object is guarded in each kLeastGapNs; bursts are allowed.
constexpr uint64_t kLeastGapNs = 10'000'000;
constexpr uint64_t kBurstNs = 16 * kLeastGapNs;

/// Whether one more object may be guarded now. If every request is to be guarded, there is no bound.
bool is_affordable() {
    if (settings.one_in == 1) {
        return true;
    }
    const uint64_t now = os::coarse_ns();
    uint64_t allowed = next_allowed_ns.load(std::memory_order_relaxed);
    uint64_t next = 0;
    do {
        if (allowed > now) {
            return false;
        }
        next = std::max(allowed + kBurstNs, now) - kBurstNs + kLeastGapNs;
    } while (!next_allowed_ns.compare_exchange_weak(allowed, next, std::memory_order_relaxed));
    return true;
}

/// One object in four has its guard page on the left. The others have it on the right, because programs
/// overrun the end more often.
GuardPool::Place next_place() {
    const uint64_t mixed = ++taken_count * 0x9E3779B97F4A7C15;
    return mixed >> 62 == 1 ? GuardPool::Place::left : GuardPool::Place::right;
}

GuardTrace this_stack() {
    GuardTrace trace;
    trace.thread = os::thread_id();
    trace.depth =
        static_cast<uint32_t>(backtrace::capture_without_locks(trace.frames, GuardTrace::kMostFrames));
    return trace;
}

/// Lets one thread report at a time. Others wait, but only for a bounded time: in a forked child the
/// reporting thread may not exist.
class Reporter {
  public:
    Reporter() {
        constexpr int kMostWaits = 2'000;
        constexpr uint64_t kWaitNs = 1'000'000;
        for (int i = 0; busy_.exchange(true, std::memory_order_acquire) && i < kMostWaits; ++i) {
            os::sleep_ns(kWaitNs);
        }
    }
    ~Reporter() { busy_.store(false, std::memory_order_release); }
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;

    /// The finding to fill in. It is static because it is too large for the stack of a signal handler.
    GuardFinding& finding() const { return finding_; }
    void write() const {
        reports.fetch_add(1, std::memory_order_relaxed);
        write_guard_report(finding_);
    }

  private:
    static constinit inline std::atomic<bool> busy_{false};
    static constinit inline GuardFinding finding_{};
};

/// `object` is null if none is known.
void report(GuardFinding::Kind kind, Operation operation, uintptr_t address, const GuardedObject* object,
            const GuardTrace& here) {
    {
        const Reporter reporter;
        GuardFinding& finding = reporter.finding();
        finding = {};
        finding.kind = kind;
        finding.operation = operation;
        finding.address = address;
        finding.has_object = object != nullptr;
        if (object != nullptr) {
            finding.object = *object;
        }
        finding.here = here;
        reporter.write();
    }
    if (settings.on_error == OnError::abort) {
        os::abort_process();
    }
}

/// Takes the lock in a signal handler. If it cannot get it, it goes on without, because the interrupted
/// thread may hold the lock. What is read then may be changing, and the report may be wrong in places.
class HandlerGuard {
  public:
    HandlerGuard() {
        constexpr int kMostTries = 1'000;
        for (int i = 0; i < kMostTries && !held_; ++i) {
            held_ = lock.try_lock();
            if (!held_) {
                os::pause_briefly();
            }
        }
    }
    ~HandlerGuard() {
        if (held_) {
            lock.unlock();
        }
    }
    HandlerGuard(const HandlerGuard&) = delete;
    HandlerGuard& operator=(const HandlerGuard&) = delete;

  private:
    bool held_ = false;
};

/// Fills in the object. Returns false if there is none, or it was reported before. `*again` tells whether its
/// page is accessible now, so that the instruction can be executed again.
bool look_up(uintptr_t address, GuardFinding& finding, bool* again) {
    const HandlerGuard guard;
    GuardedObject* object = pool.find_around(address);
    finding.has_object = object != nullptr;
    *again = false;
    if (object == nullptr) {
        return false;
    }
    if (settings.on_error == OnError::warn) {
        *again = pool.open_page(address);
        if (object->reported) {
            return false;
        }
    }
    object->reported = true;
    finding.object = *object;
    return true;
}

faults::Answer on_fault(const faults::Fault& fault) {
    if (!slots.contains(fault.address)) {
        return faults::Answer::pass_on;
    }
    const Reporter reporter;
    GuardFinding& finding = reporter.finding();
    finding = {};
    finding.kind = GuardFinding::Kind::access;
    finding.access = fault.access;
    finding.address = fault.address;
    bool again = false;
    if (look_up(fault.address, finding, &again)) {
        finding.here.thread = os::thread_id();
        finding.here.depth = static_cast<uint32_t>(backtrace::capture_interrupted(
            {.pc = fault.pc, .sp = fault.sp, .fp = fault.fp}, finding.here.frames, GuardTrace::kMostFrames));
        reporter.write();
    }
    return again ? faults::Answer::try_again : faults::Answer::pass_on;
}

}  // namespace

bool set_up(const Settings& chosen) {
    settings = chosen;
    if (!pool.set_up() || !faults::set_up(on_fault)) {
        return false;
    }
    slots = pool.extent();
    sampler::start_guards(settings.one_in);
    return true;
}

void* allocate(size_t n, size_t alignment) {
    if (!is_affordable()) {
        return nullptr;
    }
    const GuardTrace trace = this_stack();
    LockGuard guard(lock);
    GuardedObject* object = pool.take(n, alignment, next_place());
    if (object == nullptr) {
        return nullptr;
    }
    object->allocated = trace;
    return pointer_to(object->begin);
}

void mark_tracked(const void* p) {
    LockGuard guard(lock);
    if (GuardedObject* object = pool.find(p)) {
        object->tracked = true;
    }
}

bool is_tracked(const void* p) {
    LockGuard guard(lock);
    const GuardedObject* object = pool.find(p);
    return object != nullptr && object->tracked;
}

size_t usable_size(const void* p) {
    LockGuard guard(lock);
    const GuardedObject* object = pool.find(p);
    return object == nullptr ? 0 : object->size;
}

bool release(const void* p, Operation operation) {
    const GuardTrace here = this_stack();
    uintptr_t damage = 0;
    GuardedObject damaged;
    {
        LockGuard guard(lock);
        GuardedObject* object = pool.find(p);
        if (object != nullptr) {
            damage = pool.overwritten(*object);
            if (damage != 0) {
                damaged = *object;
            }
            object->freed = here;
            pool.put_back(*object);
        }
        if (object != nullptr && damage == 0) {
            return true;
        }
    }
    if (damage == 0) {
        report_invalid_pointer(p, operation);
        return false;
    }
    report(GuardFinding::Kind::overwritten, operation, damage, &damaged, here);
    return true;
}

bool forgive(const void* p) {
    LockGuard guard(lock);
    return pool.forgive(p);
}

void report_invalid_pointer(const void* p, Operation operation) {
    using enum GuardFinding::Kind;
    const uintptr_t address = address_of(p);
    const GuardTrace here = this_stack();
    GuardedObject object;
    GuardFinding::Kind kind = no_object;
    bool has_object = false;
    {
        LockGuard guard(lock);
        if (const GuardedObject* around = pool.find_around(address)) {
            object = *around;
            has_object = true;
            const bool is_live = object.state == GuardedObject::State::live;
            const bool is_inside = address - object.begin < object.size;
            if (is_live && is_inside) {
                kind = interior_pointer;
            } else if (address == object.begin) {
                kind = double_free;
            }
        }
    }
    report(kind, operation, address, has_object ? &object : nullptr, here);
}

Statistics statistics() {
    LockGuard guard(lock);
    return {.live = pool.live(),
            .quarantined = pool.quarantined(),
            .reports = reports.load(std::memory_order_relaxed)};
}

void lock_for_fork() {
    lock.lock();
    forking_thread = slots.end != 0 ? os::thread_id() : 0;  // the child's thread has another id
}
void forget_threads_in_child() { pool.expect_frees_again(forking_thread); }
void unlock_after_fork() { lock.unlock(); }

}  // namespace hotlane::guard
