// SPDX-License-Identifier: MIT
//
// Buffers of several classes of sizes under one bound. hotlane.hpp has the rules that hold for all classes.
#pragma once

#include "hotlane/buffer_pool.hpp"
#include "hotlane/pool_set.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace hotlane {

/// One class of a set: object_size (bytes), capacity and max_capacity (buffers).
using pool_class = hotlane_pool_class;

struct pool_set_options {
    on_exhausted when_exhausted = on_exhausted::fallback;
    sharing shared = sharing::one_thread;  // a set for a reader and a worker cannot grow
    hotlane::clear clear = hotlane::clear::never;
    bool touch = false;            // touches all pages at construction, so that page faults happen then
    std::size_t memory_limit = 0;  // most bytes of all buffers; 0: no limit
    double growth = 1.5;           // by which factor a class grows, if its max_capacity allows it
};

/// A set of pools, one for each class. All buffers are allocated at construction; a class with a larger
/// max_capacity grows later. For one thread at a time, unless the options say otherwise.
class pool_set {
  public:
    /// `name` is for the statistics, which call the classes "name/size". Throws std::bad_alloc when there is
    /// no memory for all buffers, they are larger than the limit, or the classes are invalid (see
    /// hotlane_pool_set_create()); its what() says so if a set for a reader and a worker shall grow.
    /// O(all capacities).
    pool_set(const char* name, std::span<const pool_class> classes, pool_set_options options = {})
        : set_{make(name, classes, options)}, clear_on_get_{options.clear == clear::on_get},
          falls_back_{options.when_exhausted == on_exhausted::fallback} {}

    /// A buffer whose size() is `size`, of the smallest class that holds it. If that class is exhausted, the
    /// next larger one serves the request. If all are exhausted, the allocator serves it, or the result is
    /// error::exhausted, as the options say. error::invalid_size: larger than every class.
    /// error::out_of_memory: the allocator has no memory. Inlined. O(1) while the smallest class has a
    /// buffer, O(classes) otherwise.
    result<buffer> get(std::size_t size) noexcept {
        const std::size_t i = (size - 1) / alignment;
        if (i >= set_->indexed) [[unlikely]] {
            return get_unindexed(size);
        }
        return get_of_class(set_->class_of[i], size);
    }
    /// The same for a class that is known: its number in the order of sizes, from 0. `size` is at most that
    /// of the class.
    result<buffer> get_of_class(std::size_t number, std::size_t size) noexcept {
        hotlane_pool* const pool = set_->pools[number];
        void* const data = hotlane_pool_get(pool);
        if (data == nullptr) [[unlikely]] {
            return falls_back_ ? error::out_of_memory : error::exhausted;
        }
        if (clear_on_get_) {
            std::memset(data, 0, pool->object_size);
        }
        return buffer{data, size, pool};
    }
    /// The class that serves requests of `size` bytes; class_count() if none does. O(classes).
    std::size_t class_for(std::size_t size) const noexcept {
        std::size_t number = 0;
        while (number < class_count() && class_size(number) < size) {
            ++number;
        }
        return number;
    }

    std::size_t class_count() const noexcept { return set_->count; }
    /// The size of the buffers of a class, bytes.
    std::size_t class_size(std::size_t number) const noexcept { return set_->pools[number]->object_size; }
    /// The size of the largest buffers, bytes.
    std::size_t largest() const noexcept { return class_size(class_count() - 1); }
    /// The set, for the functions of pool_set.h and frame_reader.h. It is still owned by this object.
    hotlane_pool_set* c_set() const noexcept { return set_.get(); }

    /// Owns a buffer of `size` bytes that the functions of pool_set.h or frame_reader.h got from this set. O(1);
    /// O(classes) if it came from the allocator.
    buffer own(void* data, std::size_t size) noexcept {
        const std::size_t offset = reinterpret_cast<std::uintptr_t>(data) - set_->begin;
        const std::size_t number =
            offset < set_->extent ? set_->class_at[offset >> set_->shift] : class_for(size);
        return buffer{data, size, set_->pools[number]};
    }

  private:
    struct deleter {
        void operator()(hotlane_pool_set* set) const noexcept { hotlane_pool_set_destroy(set); }
    };
    using owner = std::unique_ptr<hotlane_pool_set, deleter>;

    static owner make(const char* name, std::span<const pool_class> classes,
                      const pool_set_options& options) {
        const hotlane_pool_set_settings settings{
            .name = name,
            .classes = classes.data(),
            .class_count = classes.size(),
            .flags = (options.when_exhausted == on_exhausted::fallback ? HOTLANE_POOL_FALLBACK : 0U) |
                     (options.touch ? HOTLANE_POOL_TOUCH : 0U) | detail::sharing_flags(options.shared) |
                     (options.clear == clear::on_put ? HOTLANE_POOL_ZERO_ON_PUT : 0U),
            .memory_limit = options.memory_limit,
            .growth = options.growth};
        owner set{hotlane_pool_set_create(&settings, sizeof settings)};
        if (set == nullptr) {
            detail::no_pool(options.shared == sharing::reader_and_worker &&
                            std::any_of(classes.begin(), classes.end(), [](const pool_class& one) {
                                return one.max_capacity > one.capacity;
                            }));
        }
        return set;
    }
    result<buffer> get_unindexed(std::size_t size) noexcept {
        const std::size_t number = class_for(size);
        return number < class_count() ? get_of_class(number, size) : result<buffer>{error::invalid_size};
    }

    owner set_;
    bool clear_on_get_;
    bool falls_back_;
};

}  // namespace hotlane
