// SPDX-License-Identifier: MIT
//
// A stack of numbers that any number of threads push and pop without a lock: the free objects of a shared
// pool. After Treiber, "Systems Programming: Coping with Parallelism" (1986), with the counted pointer of IBM's
// System/370 against the ABA problem.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane {

// The words of the stack, and how one operation changes them. Pure functions, so that a test can execute an
// operation step by step, in every order with the steps of others.
//
//   head   operations so far (40 bits) | index of the top node (24 bits)
//   node   of a free element:  free elements from here on (24 bits) | index of the node below (24 bits)
//          of a taken element: kTaken;   of an element that a change holds: kHeld
//          of a bottom:        free elements here (24 bits) | kChanging, or 0
//
// Two nodes are bottoms; one of them is the lowest of the stack. The free elements of a node include those that
// are absent, and those that a change holds. So elements - free = taken holds at every moment, whatever becomes
// absent or present meanwhile.
namespace tagged_stack {

inline constexpr unsigned kIndexBits = 24;
inline constexpr uint64_t kIndexMask = (uint64_t{1} << kIndexBits) - 1;
inline constexpr uint32_t kBottoms = 2;
inline constexpr uint64_t kTaken = UINT64_MAX;
inline constexpr uint64_t kHeld = UINT64_MAX - 1;
inline constexpr uint64_t kChanging = 1;
/// What pop() returns instead of an element: there is none; there may be one when the present change has ended.
inline constexpr uint32_t kNone = UINT32_MAX;
inline constexpr uint32_t kWait = UINT32_MAX - 1;
/// The most elements. An operation that is delayed while exactly a multiple of 2^40 others happen would be
/// deceived; that takes hours.
inline constexpr size_t kMostElements = kIndexMask + 1 - kBottoms;

inline constexpr uint32_t index_in(uint64_t word) { return static_cast<uint32_t>(word & kIndexMask); }
inline constexpr bool is_bottom(uint32_t index) { return index < kBottoms; }
inline constexpr uint32_t element_at(uint32_t index) { return index - kBottoms; }
inline constexpr uint32_t index_of(uint32_t element) { return element + kBottoms; }
inline constexpr uint64_t operations_in(uint64_t head) { return head >> kIndexBits; }
inline constexpr uint32_t free_in(uint64_t node) {
    return static_cast<uint32_t>(node >> kIndexBits & kIndexMask);
}

/// The head after an operation that makes this node the top one.
inline constexpr uint64_t head_to(uint64_t head, uint32_t index) {
    return (operations_in(head) + 1) << kIndexBits | index;
}
/// The node of an element over the node at `index`, which has the value `below`.
inline constexpr uint64_t node_over(uint32_t index, uint64_t below) {
    return (free_in(below) + uint64_t{1}) << kIndexBits | index;
}
inline constexpr uint64_t bottom_with(uint64_t free, uint64_t flag) { return free << kIndexBits | flag; }

}  // namespace tagged_stack

/// The stack itself. Invariant: every element below `present` is either on the stack once, or its node is kTaken,
/// or a change holds it. The nodes must stay readable as long as any thread uses the stack, because an operation
/// may read the node of an element that another thread has popped meanwhile; the tag then makes its exchange
/// fail.
class TaggedStack {
  public:
    using Node = std::atomic<uint64_t>;

    static constexpr size_t nodes_for(size_t elements) { return elements + tagged_stack::kBottoms; }

    /// Of `elements`, those from 0 to present-1 are free, with 0 on top, and the others are absent. `nodes` has
    /// nodes_for(elements). No other thread uses the stack meanwhile.
    void set_up(Node* nodes, uint32_t elements, uint32_t present) {
        using namespace tagged_stack;
        nodes_ = nodes;
        elements_ = elements;
        bottom_ = 0;
        nodes[0].store(bottom_with(elements - present, 0), std::memory_order_relaxed);
        nodes[1].store(0, std::memory_order_relaxed);
        uint32_t top = 0;
        for (uint32_t i = present; i-- > 0; top = index_of(i)) {
            nodes[index_of(i)].store(node_over(top, node_at(top)), std::memory_order_relaxed);
        }
        wraps_.store(0, std::memory_order_relaxed);
        uncounted_.store(0, std::memory_order_relaxed);
        head_.store(top, std::memory_order_release);
    }

    /// Pops an element, or returns kNone or kWait. `*left` is the number of free elements that remain, those that
    /// are absent included.
    uint32_t pop(uint32_t* left) {
        using namespace tagged_stack;
        // Acquire, here and in the exchanges: pairs with the release in push(). The node, and what the last
        // owner wrote to the object, are visible.
        uint64_t head = head_.load(std::memory_order_acquire);
        for (unsigned failures = 0;; back_off(failures++)) {
            const uint32_t top = index_in(head);
            const uint64_t node = node_at(top);
            if (is_bottom(top)) {
                // Acquire: the head is loaded after it, so the node is the one that this head had.
                const uint64_t bottom = nodes_[top].load(std::memory_order_acquire);
                const uint64_t again = head_.load(std::memory_order_acquire);
                if (again == head) {
                    return index_in(bottom) == kChanging ? kWait : kNone;
                }
                head = again;
                continue;
            }
            const uint64_t next = head_to(head, index_in(node));
            if (head_.compare_exchange_weak(head, next, std::memory_order_acquire)) {
                nodes_[top].store(kTaken, std::memory_order_relaxed);
                *left = free_in(node) - 1;
                count_wrap(next);
                return element_at(top);
            }
        }
    }

    /// Pushes an element that was popped. Returns false if it is on the stack already.
    [[nodiscard]] bool push(uint32_t element) {
        using namespace tagged_stack;
        if (!is_taken(element)) {
            return false;
        }
        uint64_t head = head_.load(std::memory_order_acquire);
        for (unsigned failures = 0;; back_off(failures++)) {
            const uint32_t top = index_in(head);
            nodes_[index_of(element)].store(node_over(top, node_at(top)), std::memory_order_relaxed);
            const uint64_t next = head_to(head, index_of(element));
            if (head_.compare_exchange_weak(head, next, std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
                count_wrap(next);
                return true;
            }
        }
    }

    // A change of which elements are present: hold_all(), perhaps hold() for new ones, then end_change(). The
    // caller holds a lock against other changes, and pops and pushes of other threads go on. A pop that finds
    // nothing meanwhile returns kWait; it shall take that lock and try again.

    /// Takes all free elements from the stack. They still count as free.
    void hold_all() {
        using namespace tagged_stack;
        uint64_t head = head_.load(std::memory_order_acquire);
        while (!is_bottom(index_in(head))) {
            const uint32_t other = 1 - bottom_;  // no thread that reads it can still exchange the head
            const uint32_t free = free_in(node_at(index_in(head)));
            nodes_[other].store(bottom_with(free, kChanging), std::memory_order_relaxed);
            const uint64_t next = head_to(head, other);
            if (head_.compare_exchange_weak(head, next, std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
                note_change(next, other);
                hold_from(index_in(head));
                return;
            }
        }
    }
    /// Holds an element that was absent.
    void hold(uint32_t element) {
        nodes_[tagged_stack::index_of(element)].store(tagged_stack::kHeld, std::memory_order_relaxed);
    }
    bool is_held(uint32_t element) const {
        return node_at(tagged_stack::index_of(element)) == tagged_stack::kHeld;
    }
    /// Puts the held elements below `present` back, the lowest on top. Those from `present` on are all held or
    /// absent; they are absent now. O(present).
    void end_change(uint32_t present) {
        using namespace tagged_stack;
        for (;;) {
            hold_all();  // what was pushed meanwhile
            uint64_t head = head_.load(std::memory_order_acquire);
            const uint32_t other = 1 - bottom_;
            uint32_t top = other;
            nodes_[other].store(bottom_with(elements_ - present, 0), std::memory_order_relaxed);
            for (uint32_t i = present; i-- > 0;) {
                if (is_held(i)) {
                    nodes_[index_of(i)].store(node_over(top, node_at(top)), std::memory_order_relaxed);
                    top = index_of(i);
                }
            }
            const uint64_t next = head_to(head, top);
            if (is_bottom(index_in(head)) &&
                head_.compare_exchange_strong(head, next, std::memory_order_acq_rel)) {
                note_change(next, other);
                return;
            }
            hold_from(top);
        }
    }

    /// The free elements, those that are absent included, at one moment. And the pops and pushes since set_up(),
    /// which are exact while no change is under way.
    struct State {
        uint64_t free = 0;
        uint64_t operations = 0;
    };
    State state() const {
        using namespace tagged_stack;
        for (;;) {
            const uint64_t head = head_.load(std::memory_order_acquire);
            const uint64_t node = nodes_[index_in(head)].load(std::memory_order_acquire);
            const uint64_t wraps = wraps_.load(std::memory_order_acquire);
            const uint64_t uncounted = uncounted_.load(std::memory_order_acquire);
            if (head_.load(std::memory_order_relaxed) == head) {
                return {free_in(node), (wraps << (64 - kIndexBits)) + operations_in(head) - uncounted};
            }
        }
    }
    bool is_empty() const {
        return tagged_stack::is_bottom(tagged_stack::index_in(head_.load(std::memory_order_acquire)));
    }
    bool is_taken(uint32_t element) const {
        return node_at(tagged_stack::index_of(element)) == tagged_stack::kTaken;
    }

  private:
    /// Waits a little longer after each failure, so that the others get done. Two threads then take turns in
    /// long runs, each with the head in its own cache.
    static void back_off(unsigned failures) {
        for (unsigned i = 1U << (failures < 7 ? failures : 7); i != 0; --i) {
            pause_cpu();
        }
    }
    uint64_t node_at(uint32_t index) const { return nodes_[index].load(std::memory_order_relaxed); }
    /// Marks the elements from this node on, which are on no stack that others can see.
    void hold_from(uint32_t index) {
        while (!tagged_stack::is_bottom(index)) {
            const uint64_t node = node_at(index);
            nodes_[index].store(tagged_stack::kHeld, std::memory_order_relaxed);
            index = tagged_stack::index_in(node);
        }
    }
    void note_change(uint64_t head, uint32_t bottom) {
        bottom_ = bottom;
        uncounted_.fetch_add(1, std::memory_order_relaxed);
        count_wrap(head);
    }
    void count_wrap(uint64_t head) {
        if (tagged_stack::operations_in(head) == 0) [[unlikely]] {
            wraps_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    alignas(64) std::atomic<uint64_t> head_{0};
    alignas(64) Node* nodes_ = nullptr;
    uint32_t elements_ = 0;
    uint32_t bottom_ = 0;             // which of the two is the lowest node; changes under the callers' lock
    std::atomic<uint64_t> wraps_{0};  // of the operations in the head
    std::atomic<uint64_t> uncounted_{0};  // operations in the head that were changes
};

}  // namespace hotlane
