// SPDX-License-Identifier: MIT
//
// The numbers below are those of nanopb.proto, buf/validate/validate.proto and the older validate/validate.proto.
#include "cli/pools/protobuf/field_bounds.h"

#include "cli/pools/contract/contract.h"

#include <algorithm>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>

namespace hotlane::cli {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

namespace nanopb {
constexpr int kOptions = 1010;
constexpr int kMaxSize = 1;
constexpr int kMaxCount = 2;
constexpr int kMessageId = 9;
constexpr int kMaxLength = 14;
}  // namespace nanopb

namespace validate {
constexpr int kProtovalidate = 1159;
constexpr int kProtocGenValidate = 1071;
// Of the rules of a field.
constexpr int kString = 14;
constexpr int kBytes = 15;
constexpr int kEnum = 16;
constexpr int kRepeated = 18;
constexpr int kMap = 19;
constexpr int kIgnore = 27;
constexpr uint64_t kIgnoreAlways = 3;
// Of strings. Lengths are in characters.
constexpr int kStringConst = 1;
constexpr int kStringMaxLength = 3;
constexpr int kStringMaxBytes = 5;
constexpr int kStringLength = 19;
constexpr int kStringLengthBytes = 20;
// Of bytes.
constexpr int kBytesConst = 1;
constexpr int kBytesMaxLength = 3;
constexpr int kBytesLength = 13;
// Of enums, lists and maps.
constexpr int kDefinedOnly = 2;
constexpr int kMaxItems = 2;
constexpr int kItems = 4;
constexpr int kMaxPairs = 2;
constexpr int kKeys = 4;
constexpr int kValues = 5;
}  // namespace validate

/// Longest UTF-8 sequence of a character.
constexpr uint64_t kBytesOfCharacter = 4;

void lower(std::optional<uint64_t>& bound, uint64_t to) {
    to = std::min(to, kMostBytes + 1);
    bound = std::min(bound.value_or(to), to);
}

/// Reads the message that a field of unknown type holds. Returns false if it holds none.
bool parse_message(const UnknownField& field, UnknownFieldSet& message) {
    return field.type() == UnknownField::TYPE_LENGTH_DELIMITED &&
           message.ParseFromString(std::string{field.length_delimited()});
}

/// Calls `read` with each field of the messages that the set has under `number`.
template <typename Read>
void for_each_in(const UnknownFieldSet& fields, int number, Read read) {
    for (int i = 0; i < fields.field_count(); ++i) {
        UnknownFieldSet message;
        if (fields.field(i).number() == number && parse_message(fields.field(i), message)) {
            for (int k = 0; k < message.field_count(); ++k) {
                read(message.field(k));
            }
        }
    }
}

uint64_t number_of(const UnknownField& field) {
    return field.type() == UnknownField::TYPE_VARINT ? field.varint() : UINT64_MAX;
}

uint64_t length_of(const UnknownField& field) {
    return field.type() == UnknownField::TYPE_LENGTH_DELIMITED ? field.length_delimited().size() : UINT64_MAX;
}

/// Reads the rules of one value: those of a string, bytes or an enum.
void read_value_rules(const UnknownFieldSet& rules, ValueBounds& bounds) {
    for_each_in(rules, validate::kString, [&bounds](const UnknownField& rule) {
        switch (rule.number()) {
        case validate::kStringConst:
            return lower(bounds.max_bytes, length_of(rule));
        case validate::kStringMaxBytes:
        case validate::kStringLengthBytes:
            return lower(bounds.max_bytes, number_of(rule));
        case validate::kStringMaxLength:
        case validate::kStringLength:
            return lower(bounds.max_bytes, std::min(number_of(rule), kMostBytes) * kBytesOfCharacter);
        default:
            return;
        }
    });
    for_each_in(rules, validate::kBytes, [&bounds](const UnknownField& rule) {
        if (rule.number() == validate::kBytesConst) {
            lower(bounds.max_bytes, length_of(rule));
        } else if (rule.number() == validate::kBytesMaxLength || rule.number() == validate::kBytesLength) {
            lower(bounds.max_bytes, number_of(rule));
        }
    });
    for_each_in(rules, validate::kEnum, [&bounds](const UnknownField& rule) {
        bounds.defined_only =
            bounds.defined_only || (rule.number() == validate::kDefinedOnly && number_of(rule) == 1);
    });
}

/// Reads the rules that are a field of other rules: those of the items of a list, or of keys or values.
void read_inner_rules(const UnknownField& rules, ValueBounds& bounds) {
    UnknownFieldSet message;
    if (parse_message(rules, message)) {
        read_value_rules(message, bounds);
    }
}

void read_field_rules(const UnknownFieldSet& rules, FieldBounds& bounds) {
    for (int i = 0; i < rules.field_count(); ++i) {
        if (rules.field(i).number() == validate::kIgnore &&
            number_of(rules.field(i)) == validate::kIgnoreAlways) {
            return;
        }
    }
    read_value_rules(rules, bounds);
    for_each_in(rules, validate::kRepeated, [&bounds](const UnknownField& rule) {
        if (rule.number() == validate::kMaxItems) {
            lower(bounds.max_items, number_of(rule));
        } else if (rule.number() == validate::kItems) {
            read_inner_rules(rule, bounds);
        }
    });
    for_each_in(rules, validate::kMap, [&bounds](const UnknownField& rule) {
        if (rule.number() == validate::kMaxPairs) {
            lower(bounds.max_items, number_of(rule));
        } else if (rule.number() == validate::kKeys || rule.number() == validate::kValues) {
            read_inner_rules(rule, rule.number() == validate::kKeys ? bounds.key : bounds.value);
        }
    });
}

/// nanopb's options of a file, a message and a field: the more specific ones replace the others.
struct NanopbOptions {
    std::optional<uint64_t> max_size;
    std::optional<uint64_t> max_length;
    std::optional<uint64_t> max_count;
    std::optional<uint64_t> message_id;

    template <typename Options>
    void read(const Options& options) {
        for_each_in(options.unknown_fields(), nanopb::kOptions, [this](const UnknownField& option) {
            switch (option.number()) {
            case nanopb::kMaxSize:
                max_size = number_of(option);
                break;
            case nanopb::kMaxLength:
                max_length = number_of(option);
                break;
            case nanopb::kMaxCount:
                max_count = number_of(option);
                break;
            case nanopb::kMessageId:
                message_id = number_of(option);
                break;
            default:
                break;
            }
        });
    }
};

}  // namespace

FieldBounds bounds_of(const FieldDescriptor& field) {
    NanopbOptions options;
    options.read(field.file()->options());
    options.read(field.containing_type()->options());
    options.read(field.options());
    FieldBounds bounds;
    const bool is_string = field.type() == FieldDescriptor::TYPE_STRING;
    if (options.max_size) {
        // The terminating null character of C is not sent.
        lower(bounds.max_bytes,
              is_string && *options.max_size > 0 ? *options.max_size - 1 : *options.max_size);
    }
    if (options.max_length) {
        lower(bounds.max_bytes, *options.max_length);
    }
    if (options.max_count) {
        lower(bounds.max_items, *options.max_count);
    }
    const UnknownFieldSet& unknown = field.options().unknown_fields();
    for (int i = 0; i < unknown.field_count(); ++i) {
        const int number = unknown.field(i).number();
        UnknownFieldSet rules;
        if ((number == validate::kProtovalidate || number == validate::kProtocGenValidate) &&
            parse_message(unknown.field(i), rules)) {
            read_field_rules(rules, bounds);
        }
    }
    return bounds;
}

std::optional<uint64_t> type_id_of(const google::protobuf::Descriptor& message) {
    NanopbOptions options;
    options.read(message.options());
    return options.message_id;
}

}  // namespace hotlane::cli
