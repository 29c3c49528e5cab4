// SPDX-License-Identifier: MIT
//
// Guarded objects come and go; mistakes with them are reported.
// Knows nothing of the tiers that serve requests.
// Called through guard.h, and for each fault of the process.
//
// Stacks are taken without a lock of the loader, which another thread may hold until this one goes on.
// Reports are written after our lock is released: a handler of SIGABRT may allocate.
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
constinit GuardPool pool;               // under the lock
constinit uint64_t taken_count = 0;     // under the lock
constinit uint32_t forking_thread = 0;  // under the lock
constinit Settings settings;
constinit std::atomic<uint64_t> next_allowed_ns{0};
constinit std::atomic<uint64_t> reports{0};

/// What guards cost is bounded: other threads pay for each change of protection, too. Some may come at once.
constexpr uint64_t kLeastGapNs = 10'000'000;
constexpr uint64_t kBurstNs = 16 * kLeastGapNs;

/// Whether one more object may be guarded now. Where every request is to be, cost is no question.
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

/// One object in four has its guard page on the left: programs overrun the end more often.
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

/// One thread reports at a time. Others wait; but not for one that does not come back, as in a forked child.
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

    /// To be filled in; too large for the stack of a signal handler.
    GuardFinding& finding() const { return finding_; }
    void write() const {
        reports.fetch_add(1, std::memory_order_relaxed);
        write_guard_report(finding_);
    }

  private:
    static constinit inline std::atomic<bool> busy_{false};
    static constinit inline GuardFinding finding_{};
};

/// `object` is null where none is known.
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

/// The lock in a signal handler: who holds it may be the thread that was interrupted. Then what is read may
/// be changing, and a report may be wrong in places.
class HandlerGuard {
  public:
    HandlerGuard() {
        constexpr int kMostTries = 1'000;
        for (int i = 0; i < kMostTries && !held_; ++i) {
            held_ = lock.try_lock();
            if (!held_) {
                os::yield_cpu();
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

/// Fills in the object. False: there is none, or it was reported before; `*again` then says whether its page
/// is accessible by now.
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
        object->followed = true;
    }
}

bool is_tracked(const void* p) {
    LockGuard guard(lock);
    const GuardedObject* object = pool.find(p);
    return object != nullptr && object->followed;
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
    forking_thread = slots.end != 0 ? os::thread_id() : 0;  // in the child it has another
}
void forget_threads_in_child() { pool.expect_frees_again(forking_thread); }
void unlock_after_fork() { lock.unlock(); }

}  // namespace hotlane::guard
