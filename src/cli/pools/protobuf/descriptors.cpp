// SPDX-License-Identifier: MIT
//
// The size of each type on the wire, and the form of each field.
#include "cli/pools/protobuf/descriptors.h"

#include "cli/pools/protobuf/field_bounds.h"

#include <google/protobuf/descriptor.pb.h>

namespace hotlane::cli {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

/// Also of a negative number of 32 bits, which is sent with 64.
constexpr uint64_t kLongestVarint = 10;
constexpr uint64_t kLongestVarint32 = 5;

bool is_closed(const EnumDescriptor& type) {
#if GOOGLE_PROTOBUF_VERSION >= 4022000
    return type.is_closed();
#else
    return type.file()->syntax() == FileDescriptor::SYNTAX_PROTO2;
#endif
}

/// Returns the bytes of the longest value that can occur. An open enum can have any value.
uint64_t enum_bytes(const EnumDescriptor& type, bool defined_only) {
    if (!is_closed(type) && !defined_only) {
        return kLongestVarint;
    }
    uint64_t most = 1;
    for (int i = 0; i < type.value_count(); ++i) {
        const int number = type.value(i)->number();
        uint64_t bytes = number < 0 ? kLongestVarint : 1;
        for (int rest = number; rest >= 128; rest >>= 7) {
            ++bytes;
        }
        most = std::max(most, bytes);
    }
    return most;
}

/// Sets the kind of the field and the size of a value.
void set_kind(Field& field, const FieldDescriptor& descriptor, const ValueBounds& bounds) {
    field.kind = FieldKind::fixed;
    switch (descriptor.type()) {
    case FieldDescriptor::TYPE_BOOL:
        field.item_bytes = 1;
        break;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
        field.item_bytes = sizeof(uint32_t);
        break;
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
        field.item_bytes = sizeof(uint64_t);
        break;
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_SINT32:
        field.item_bytes = kLongestVarint32;
        break;
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_SINT64:
        field.item_bytes = kLongestVarint;
        break;
    case FieldDescriptor::TYPE_ENUM:
        field.item_bytes = enum_bytes(*descriptor.enum_type(), bounds.defined_only);
        break;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
        field.kind = FieldKind::variable;
        field.is_string = descriptor.type() == FieldDescriptor::TYPE_STRING;
        field.max_bytes = bounds.max_bytes;
        break;
    case FieldDescriptor::TYPE_GROUP:
    case FieldDescriptor::TYPE_MESSAGE:
        field.kind = FieldKind::message;
        field.group = descriptor.type() == FieldDescriptor::TYPE_GROUP;
        field.type = descriptor.message_type()->full_name();
        break;
    }
}

Field map_part(const FieldDescriptor& descriptor, const Place& place, const ValueBounds& bounds) {
    Field field;
    field.name = descriptor.name();
    field.place = place;
    field.number = static_cast<uint32_t>(descriptor.number());
    set_kind(field, descriptor, bounds);
    return field;
}

}  // namespace

template <typename Described>
Place DescriptorReader::place_of(const Described& descriptor) const {
    google::protobuf::SourceLocation location;
    if (!descriptor.GetSourceLocation(&location)) {
        return place_(std::string{descriptor.file()->name()}, -1, -1);
    }
    return place_(std::string{descriptor.file()->name()}, location.start_line, location.start_column);
}

void DescriptorReader::add(const FileDescriptor& file) {
    std::vector<const FileDescriptor*> waiting{&file};
    added_.insert(&file);
    for (size_t at = 0; at < waiting.size(); ++at) {
        for (int i = 0; i < waiting[at]->message_type_count(); ++i) {
            add_message(*waiting[at]->message_type(i));
        }
        for (int i = 0; i < waiting[at]->dependency_count(); ++i) {
            if (added_.insert(waiting[at]->dependency(i)).second) {
                waiting.push_back(waiting[at]->dependency(i));
            }
        }
    }
}

void DescriptorReader::add_message(const Descriptor& descriptor) {
    Message message;
    message.full_name = descriptor.full_name();
    const std::string package{descriptor.file()->package()};
    message.name = package.empty() ? message.full_name : message.full_name.substr(package.size() + 1);
    message.place = place_of(descriptor);
    message.type_id = type_id_of(descriptor);
    message.type_id_place = message.place;
    if (descriptor.options().message_set_wire_format() || descriptor.extension_range_count() > 0) {
        message.why_unbounded = "anyone may extend it (it has extension ranges)";
    }
    std::vector<Message> entries;
    for (int i = 0; i < descriptor.field_count(); ++i) {
        add_field(message, *descriptor.field(i), entries);
    }
    contract_.messages.push_back(std::move(message));
    contract_.messages.insert(contract_.messages.end(), entries.begin(), entries.end());
    for (int i = 0; i < descriptor.nested_type_count(); ++i) {
        if (!descriptor.nested_type(i)->options().map_entry()) {
            add_message(*descriptor.nested_type(i));
        }
    }
}

void DescriptorReader::add_field(Message& message, const FieldDescriptor& descriptor,
                                 std::vector<Message>& entries) {
    const FieldBounds bounds = bounds_of(descriptor);
    Field field;
    field.name = descriptor.name();
    field.place = place_of(descriptor);
    field.number = static_cast<uint32_t>(descriptor.number());
    field.is_list = descriptor.is_repeated();
    field.packed = descriptor.is_packed();
    if (field.is_list) {
        field.max_items = bounds.max_items;
    }
    if (descriptor.real_containing_oneof() != nullptr) {
        field.oneof = descriptor.real_containing_oneof()->index();
    }
    if (descriptor.is_map()) {
        // An entry of its own for each map, because the bounds are those of the field.
        Message entry;
        entry.is_entry = true;
        entry.name = message.name + "." + field.name;
        entry.full_name = message.full_name + "." + field.name;
        entry.place = field.place;
        entry.fields = {map_part(*descriptor.message_type()->field(0), field.place, bounds.key),
                        map_part(*descriptor.message_type()->field(1), field.place, bounds.value)};
        field.kind = FieldKind::message;
        field.type = entry.full_name;
        entries.push_back(std::move(entry));
    } else {
        set_kind(field, descriptor, bounds);
    }
    message.fields.push_back(std::move(field));
}

}  // namespace hotlane::cli
