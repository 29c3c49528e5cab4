// SPDX-License-Identifier: MIT
//
// Pools for the messages of a service. `hotlane pools generate` writes the messages and the service from
// contracts. hotlane.hpp has the rules that hold for all classes.
#pragma once

#include "hotlane/frame_reader.hpp"
#include "hotlane/pool_set.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hotlane {

/// A type that stands for a message of a contract.
template <class M>
concept message = requires {
    { M::name } -> std::convertible_to<std::string_view>;
    { M::type_id } -> std::convertible_to<std::uint16_t>;
    { M::max_size } -> std::convertible_to<std::uint32_t>;
    { M::buffer_class } -> std::convertible_to<std::uint32_t>;
};

/// What the contracts and the service file say about one service.
struct service_row {
    const char* name = nullptr;
    std::span<const message_row> messages{};
    std::span<const pool_class> classes{};  // each message's buffer_class is among them
    pool_set_options options{};
    frame_header header{};  // its size is 0 if the contract describes none
    bool enabled = true;    // buffer_pool_enabled; if not, every request goes to the allocator

    const service_row* next = nullptr;  // of the list of registered services
};

namespace detail {

inline constinit const service_row* services = nullptr;

[[noreturn]] inline void unknown_service(std::string_view name) {
#ifdef __cpp_exceptions
    std::string text =
        "hotlane: no service \"" + std::string{name} + "\" in the headers of this program; there ";
    if (services == nullptr) {
        text += "are none";
    } else {
        text += services->next == nullptr ? "is" : "are";
        for (const service_row* row = services; row != nullptr; row = row->next) {
            text += std::string{row == services ? " \"" : ", \""} + row->name + '"';
        }
    }
    throw std::invalid_argument(text);
#else
    static_cast<void>(name);
    std::abort();
#endif
}

/// The classes of a service. If its pools are not enabled, nothing is reserved.
inline pool_set make_set(const service_row& service) {
    if (service.enabled) {
        return {service.name, service.classes, service.options};
    }
    std::array<pool_class, HOTLANE_POOL_SET_CLASSES> empty{};
    const std::size_t count = service.classes.size() < empty.size() ? service.classes.size() : empty.size();
    for (std::size_t i = 0; i < count; ++i) {
        empty[i] = {service.classes[i].object_size, 0, 0};
    }
    pool_set_options options = service.options;
    options.when_exhausted = on_exhausted::fallback;
    return {service.name, std::span{empty}.first(count), options};
}

template <class M, class... Messages>
inline constexpr bool is_one_of = (std::is_same_v<M, Messages> || ...);

/// The position of M among Messages.
template <class M, class... Messages>
consteval std::size_t position() {
    std::size_t at = 0;
    static_cast<void>(((std::is_same_v<M, Messages> || (++at, false)) || ...));
    return at;
}

}  // namespace detail

/// Registers a service of a generated header for from_service(). A variable of this type lives as long as the
/// program.
struct service_registration {
    explicit service_registration(service_row& row) noexcept {
        row.next = detail::services;
        detail::services = &row;
    }
};

/// The pools of a service, by the length of a message. For one thread at a time, unless the service is shared.
class service_pools {
  public:
    /// Throws std::bad_alloc when there is no memory for all buffers. `service` must outlive the pools.
    explicit service_pools(const service_row& service)
        : service_{&service}, set_{detail::make_set(service)} {}

    /// A buffer for `length` bytes. See pool_set::get().
    result<buffer> get(std::size_t length) noexcept { return set_.get(length); }
    std::string_view name() const noexcept { return service_->name; }
    std::span<const message_row> messages() const noexcept { return service_->messages; }
    const service_row& service() const noexcept { return *service_; }
    pool_set& set() noexcept { return set_; }

  private:
    const service_row* service_;
    pool_set set_;
};

/// The pools of the service of that name, which a generated header of this program describes. Throws
/// std::invalid_argument, with the known names, when there is none. Not before main(): the headers register
/// their services while static objects are constructed. O(services).
inline service_pools from_service(std::string_view name) {
    for (const service_row* row = detail::services; row != nullptr; row = row->next) {
        if (row->name == name) {
            return service_pools{*row};
        }
    }
    detail::unknown_service(name);
}

/// The pools of a service whose messages are known at compile time.
template <message... Messages>
class message_pools : public service_pools {
  public:
    /// Throws std::bad_alloc when there is no memory for all buffers.
    explicit message_pools(const service_row& service) : service_pools{service} {
        std::size_t i = 0;
        static_cast<void>((
            (class_numbers_[i++] = static_cast<std::uint8_t>(set().class_for(Messages::buffer_class))), ...));
    }

    /// A buffer of M's class, whose size() is M's largest size. Inlined; no class is looked up.
    template <class M>
    result<buffer> get() noexcept {
        static_assert(detail::is_one_of<M, Messages...>,
                      "this message is not one of the service's: add it to `messages` of the service file");
        if constexpr (detail::is_one_of<M, Messages...>) {
            return set().get_of_class(class_numbers_[detail::position<M, Messages...>()], M::max_size);
        } else {
            return error::invalid_size;
        }
    }
    using service_pools::get;

  private:
    std::array<std::uint8_t, sizeof...(Messages)> class_numbers_{};
};

}  // namespace hotlane
