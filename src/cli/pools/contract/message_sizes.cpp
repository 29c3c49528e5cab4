// SPDX-License-Identifier: MIT
//
// Adds up the sizes of fields. Every sum and product is bounded, so that nothing overflows.
#include "cli/pools/contract/message_sizes.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace hotlane::cli {

namespace {

/// Above every size that is accepted. Sums and products of two sizes up to this one fit into 64 bits.
constexpr uint64_t kTooMuch = kMostBytes + 1;

uint64_t sum(uint64_t a, uint64_t b) { return std::min(a + b, kTooMuch); }
uint64_t product(uint64_t a, uint64_t b) { return std::min(a * b, kTooMuch); }

uint64_t varint_bytes(uint64_t value) {
    uint64_t bytes = 1;
    for (; value >= 128; value >>= 7U) {
        ++bytes;
    }
    return bytes;
}

uint64_t tag_bytes(const Field& field) { return varint_bytes(uint64_t{field.number} << 3U); }
uint64_t with_length(uint64_t bytes) { return sum(varint_bytes(bytes), bytes); }

/// Parts of parts are followed to this depth, as protobuf's readers do.
constexpr size_t kDeepest = 100;

class Sizes {
  public:
    Sizes(Contract& contract, Problems& problems)
        : contract_{contract}, problems_{problems}, states_(contract.messages.size()) {
        for (size_t i = 0; i < contract.messages.size(); ++i) {
            by_name_.emplace(contract.messages[i].full_name, i);
        }
    }

    void compute(size_t index) { (void)body_of(index); }

  private:
    enum class State : uint8_t { unknown, open, done, failed };

    /// Returns the bytes of the message without its header, or nothing after a problem, which is reported once.
    std::optional<uint64_t> body_of(size_t index) {
        Message& message = contract_.messages[index];
        State& state = states_[index].state;
        if (state == State::done || state == State::failed) {
            return state == State::done ? std::optional{states_[index].body} : std::nullopt;
        }
        state = State::open;
        path_.push_back(index);
        const bool is_whole = add_fields(message, states_[index].body);
        path_.pop_back();
        state = is_whole && finish(message, states_[index].body) ? State::done : State::failed;
        return state == State::done ? std::optional{states_[index].body} : std::nullopt;
    }

    bool add_fields(const Message& message, uint64_t& body) {
        bool is_whole = message.why_unbounded.empty();
        if (!is_whole) {
            problems_.add(message.place,
                          "the message " + quoted(message.name) + " has no bound: " + message.why_unbounded);
        }
        std::map<int, uint64_t> oneofs;
        for (const Field& field : message.fields) {
            const std::optional<uint64_t> bytes = bytes_of(field);
            is_whole = is_whole && bytes;
            if (bytes && field.oneof) {
                uint64_t& largest = oneofs[*field.oneof];
                largest = std::max(largest, *bytes);
            } else if (bytes) {
                body = sum(body, *bytes);
            }
        }
        for (const auto& [oneof, bytes] : oneofs) {
            body = sum(body, bytes);
        }
        return is_whole;
    }

    bool finish(Message& message, uint64_t& body) {
        uint64_t size = sum(body, message.header_bytes);
        if (size > kMostBytes) {
            problems_.add(message.place, "the message " + quoted(message.name) +
                                             " may take more than 1G; lower the bounds of its fields");
            return false;
        }
        if (message.declared_size) {
            if (*message.declared_size < size) {
                problems_.add(message.size_place, "the message " + quoted(message.name) + " may take " +
                                                      std::to_string(size) + " bytes, more than its size " +
                                                      std::to_string(*message.declared_size));
                return false;
            }
            size = *message.declared_size;
            body = size - message.header_bytes;
        }
        message.max_size = size;
        return true;
    }

    std::optional<uint64_t> bytes_of(const Field& field) {
        const std::optional<uint64_t> item = item_bytes(field);
        const bool is_many = field.is_list || field.is_array;
        if (is_many && !field.max_items) {
            problems_.add(field.place, "the list " + named(field) + " has no bound; give it max_items");
            return std::nullopt;
        }
        if (!item) {
            return std::nullopt;
        }
        const uint64_t count = is_many ? *field.max_items : 1;
        if (contract_.encoding == Encoding::protobuf) {
            if (count == 0) {
                return 0;  // not even a tag
            }
            return field.packed ? sum(tag_bytes(field), with_length(product(count, *item)))
                                : product(count, sum(product(tag_bytes(field), field.group ? 2 : 1), *item));
        }
        return sum(field.is_list ? prefix_of(field, count) : 0, product(count, *item));
    }

    /// Returns the most bytes of one value: without a tag, but with its length.
    std::optional<uint64_t> item_bytes(const Field& field) {
        const bool is_protobuf = contract_.encoding == Encoding::protobuf;
        if (field.kind == FieldKind::fixed) {
            return field.item_bytes;
        }
        if (field.kind == FieldKind::message) {
            const std::optional<uint64_t> body = part_body(field);
            return body && is_protobuf && !field.group ? with_length(*body) : body;
        }
        if (!field.max_bytes) {
            problems_.add(field.place, "the field " + named(field) + " has no bound; give it max_bytes");
            return std::nullopt;
        }
        return is_protobuf ? with_length(*field.max_bytes)
                           : sum(prefix_of(field, *field.max_bytes), *field.max_bytes);
    }

    /// Returns "MESSAGE.FIELD" in quotes, for a field of the message that is computed now.
    std::string named(const Field& field) const {
        return quoted(contract_.messages[path_.back()].name + "." + field.name);
    }

    uint64_t prefix_of(const Field& field, uint64_t length) {
        const uint64_t bytes = contract_.length_prefix;
        if (bytes > 0 && bytes < sizeof length && length >> (8 * bytes) != 0) {
            problems_.add(field.place, "a length of " + std::to_string(length) + " does not fit into the " +
                                           std::to_string(bytes) + " bytes of length_prefix");
        }
        return bytes;
    }

    std::optional<uint64_t> part_body(const Field& field) {
        const auto found = by_name_.find(field.type);
        if (found == by_name_.end()) {
            return std::nullopt;  // reported by the reader
        }
        if (states_[found->second].state == State::open) {
            problems_.add(field.place, "the message " + quoted(contract_.messages[found->second].name) +
                                           " contains itself: " + path_from(found->second));
            return std::nullopt;
        }
        if (path_.size() == kDeepest) {
            problems_.add(field.place, "messages are nested deeper than " + std::to_string(kDeepest));
            return std::nullopt;
        }
        return body_of(found->second);
    }

    std::string path_from(size_t first) const {
        std::string text;
        for (auto at = std::find(path_.begin(), path_.end(), first); at != path_.end(); ++at) {
            text += contract_.messages[*at].name + " > ";
        }
        return text + contract_.messages[first].name;
    }

    struct Known {
        State state = State::unknown;
        uint64_t body = 0;
    };

    Contract& contract_;
    Problems& problems_;
    std::vector<Known> states_;  // by message
    std::unordered_map<std::string_view, size_t> by_name_;
    std::vector<size_t> path_;
};

}  // namespace

void compute_sizes(Contract& contract, const std::vector<bool>& wanted, Problems& problems) {
    Sizes sizes{contract, problems};
    for (size_t i = 0; i < contract.messages.size(); ++i) {
        if (wanted[i]) {
            sizes.compute(i);
        }
    }
}

}  // namespace hotlane::cli
