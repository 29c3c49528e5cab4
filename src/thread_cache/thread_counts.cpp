// SPDX-License-Identifier: MIT
//
// Adds up the calling thread's counts, and reports requests where none are allowed.
#include "thread_cache/thread_counts.h"

#include "diagnostics/misuse.h"
#include "sync/critical_section.h"
#include "text/writer.h"
#include "thread_cache/thread_block.h"

#include <utility>

namespace hotlane::thread_counts {

namespace {

/// Takes the lock of the thread's block, which maintenance may hold. A signal handler that interrupted this
/// thread inside malloc may find that the thread itself holds it, and reads without it.
class OwnLock {
  public:
    explicit OwnLock(Lock& lock) : lock_{lock} {
        if (critical_depth != 0) {
            held_ = lock.try_lock();
        } else {
            lock.lock();
        }
    }
    ~OwnLock() {
        if (held_) {
            lock_.unlock();
        }
    }
    OwnLock(const OwnLock&) = delete;
    OwnLock& operator=(const OwnLock&) = delete;

  private:
    Lock& lock_;
    bool held_ = true;
};

/// Reports the mistake. A handler of SIGABRT may allocate, so meanwhile nothing is forbidden.
template <typename Describe>
void report(Describe describe) {
    const uint32_t forbidding = std::exchange(thread_cache.forbidding, 0);
    char line[96];
    Writer out(line, sizeof line);
    out.text("no_allocation: ");
    describe(out);
    out.text(" inside the scope").flush();
    report_mistake({line, out.bytes_written()});
    thread_cache.forbidding = forbidding;
}

}  // namespace

ThreadCounts own() {
    ThreadCounts counts = thread_cache.uncached;
    if (ThreadBlock* block = thread_cache.block) {
        const OwnLock guard(block->lock);
        const ThreadCounts of_block = block->counts();
        counts.allocations += of_block.allocations;
        counts.frees += of_block.frees;
    }
    return counts;
}

void forbid() {
    if (thread_cache.forbidding++ == 0 && critical_depth == 0) {
        flush_this_thread();
    }
}

void allow() { --thread_cache.forbidding; }

void report_allocation(size_t n) {
    report([n](Writer& out) { out.text("an allocation of ").number(n).text(" bytes"); });
}

void report_free(const void* p) {
    report([p](Writer& out) { out.text("a free of ").hex(address_of(p)); });
}

}  // namespace hotlane::thread_counts
