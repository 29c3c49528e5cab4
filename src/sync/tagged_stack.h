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
//   head   operations so far (40 bits) | 1 + top element (24 bits; 0: empty)
//   node   of a free element:  elements from here to the bottom (24 bits) | 1 + element below (24 bits)
//          of a taken element: kTaken
namespace tagged_stack {

inline constexpr unsigned kIndexBits = 24;
inline constexpr uint64_t kIndexMask = (uint64_t{1} << kIndexBits) - 1;
inline constexpr uint32_t kNone = UINT32_MAX;
inline constexpr uint64_t kTaken = UINT64_MAX;
/// The most elements. An operation that is delayed while exactly a multiple of 2^40 others happen would be
/// deceived; that takes hours.
inline constexpr size_t kMostElements = kIndexMask - 1;

inline constexpr uint32_t top_of(uint64_t head) { return static_cast<uint32_t>(head & kIndexMask) - 1; }
inline constexpr bool is_empty(uint64_t head) { return (head & kIndexMask) == 0; }
inline constexpr uint64_t operations_in(uint64_t head) { return head >> kIndexBits; }
inline constexpr uint32_t depth_in(uint64_t node) {
    return static_cast<uint32_t>(node >> kIndexBits & kIndexMask);
}

/// The head after its top element, which has this node, is popped.
inline constexpr uint64_t head_after_pop(uint64_t head, uint64_t node) {
    return (operations_in(head) + 1) << kIndexBits | (node & kIndexMask);
}
/// The node of an element that is pushed over `head`. `top_node` is the node of the present top element.
inline constexpr uint64_t node_over(uint64_t head, uint64_t top_node) {
    const uint64_t depth = is_empty(head) ? 1 : depth_in(top_node) + uint64_t{1};
    return depth << kIndexBits | (head & kIndexMask);
}
inline constexpr uint64_t head_after_push(uint64_t head, uint32_t element) {
    return (operations_in(head) + 1) << kIndexBits | (element + uint64_t{1});
}

}  // namespace tagged_stack

/// The stack itself. Invariant: every element is either on the stack once, or its node is kTaken. The nodes
/// must stay readable as long as any thread uses the stack, because an operation may read the node of an
/// element that another thread has popped meanwhile; the tag then makes its exchange fail.
class TaggedStack {
  public:
    using Node = std::atomic<uint64_t>;

    /// All of 0 to count-1 are free; 0 is on top. No other thread uses the stack meanwhile.
    void set_up(Node* nodes, uint32_t count) {
        using namespace tagged_stack;
        nodes_ = nodes;
        uint64_t head = 0;
        for (uint32_t i = count; i-- > 0;) {
            const uint64_t below = is_empty(head) ? 0 : nodes[top_of(head)].load(std::memory_order_relaxed);
            nodes[i].store(node_over(head, below), std::memory_order_relaxed);
            head = i + uint64_t{1};
        }
        wraps_.store(0, std::memory_order_relaxed);
        head_.store(head, std::memory_order_release);
    }

    /// Pops an element, or returns kNone. `*left` is the number of elements that remain.
    uint32_t pop(uint32_t* left) {
        using namespace tagged_stack;
        // Acquire, here and in the exchanges: pairs with the release in push(). The node, and what the last
        // owner wrote to the object, are visible.
        uint64_t head = head_.load(std::memory_order_acquire);
        for (unsigned failures = 0; !is_empty(head); back_off(failures++)) {
            const uint32_t element = top_of(head);
            const uint64_t node = nodes_[element].load(std::memory_order_relaxed);
            const uint64_t next = head_after_pop(head, node);
            if (head_.compare_exchange_weak(head, next, std::memory_order_acquire)) {
                nodes_[element].store(kTaken, std::memory_order_relaxed);
                *left = depth_in(node) - 1;
                count_wrap(next);
                return element;
            }
        }
        return kNone;
    }

    /// Pushes an element that was popped. Returns false if it is on the stack already.
    [[nodiscard]] bool push(uint32_t element) {
        using namespace tagged_stack;
        if (nodes_[element].load(std::memory_order_relaxed) != kTaken) {
            return false;
        }
        uint64_t head = head_.load(std::memory_order_acquire);
        for (unsigned failures = 0;; back_off(failures++)) {
            const uint64_t below = is_empty(head) ? 0 : nodes_[top_of(head)].load(std::memory_order_relaxed);
            nodes_[element].store(node_over(head, below), std::memory_order_relaxed);
            const uint64_t next = head_after_push(head, element);
            if (head_.compare_exchange_weak(head, next, std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
                count_wrap(next);
                return true;
            }
        }
    }

    /// The number of elements, and of pops and pushes since set_up(), at one moment.
    struct State {
        uint64_t elements = 0;
        uint64_t operations = 0;
    };
    State state() const {
        using namespace tagged_stack;
        for (;;) {
            const uint64_t head = head_.load(std::memory_order_acquire);
            const uint64_t node = is_empty(head) ? 0 : nodes_[top_of(head)].load(std::memory_order_acquire);
            const uint64_t wraps = wraps_.load(std::memory_order_acquire);
            if (head_.load(std::memory_order_relaxed) == head) {
                return {depth_in(node), (wraps << (64 - kIndexBits)) + operations_in(head)};
            }
        }
    }
    bool is_taken(uint32_t element) const {
        return nodes_[element].load(std::memory_order_relaxed) == tagged_stack::kTaken;
    }

  private:
    /// Waits a little longer after each failure, so that the others get done. Two threads then take turns in
    /// long runs, each with the head in its own cache.
    static void back_off(unsigned failures) {
        for (unsigned i = 1U << (failures < 7 ? failures : 7); i != 0; --i) {
            pause_cpu();
        }
    }
    void count_wrap(uint64_t head) {
        if (tagged_stack::operations_in(head) == 0) [[unlikely]] {
            wraps_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    alignas(64) std::atomic<uint64_t> head_{0};
    alignas(64) Node* nodes_ = nullptr;
    std::atomic<uint64_t> wraps_{0};  // of the operations in the head
};

}  // namespace hotlane
