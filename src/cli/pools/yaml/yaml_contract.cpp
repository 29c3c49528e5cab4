// SPDX-License-Identifier: MIT
//
// Walks through the document. Each kind of map has a table of its keys.
#include "cli/pools/yaml/yaml_contract.h"

#include "cli/pools/yaml/field_type.h"
#include "cli/pools/yaml/yaml_reader.h"

#include <set>

namespace hotlane::cli {

namespace {

using Kind = YamlNode::Kind;

class YamlContract : private YamlReader {
  public:
    YamlContract(const YamlDocument& document, Contract& contract, Problems& problems)
        : YamlReader{document, problems}, contract_{contract} {}

    void read(const YamlNode& root) {
        static constexpr Key<Contract> kKeys[] = {{"messages", &YamlContract::read_messages},
                                                  {"length_prefix", &YamlContract::read_length_prefix},
                                                  {"header", &YamlContract::read_header}};
        read_map(*this, root, "a contract", kKeys, contract_);
        if (root.kind == Kind::map && !has_messages_) {
            problem(root, "the key \"messages\" is missing");
        }
        check_types();
    }

  private:
    friend class YamlReader;

    template <typename Object>
    using Key = YamlKey<YamlContract, Object>;

    void read_length_prefix(Contract& contract, const YamlNode& value) {
        constexpr uint64_t kMost = 8;
        uint64_t bytes = 0;
        if (read_number(value, kMost, bytes)) {
            if (bytes > 2 && bytes != 4 && bytes != kMost) {
                problem(value, "a length has 0, 1, 2, 4 or 8 bytes, not " + std::to_string(bytes));
                return;
            }
            contract.length_prefix = bytes;
        }
    }

    void read_header(Contract& contract, const YamlNode& value) {
        static constexpr Key<FrameHeader> kKeys[] = {
            {"size", &YamlContract::read_number_of<&FrameHeader::size>},
            {"type_offset", &YamlContract::read_number_of<&FrameHeader::type_offset>},
            {"length_offset", &YamlContract::read_number_of<&FrameHeader::length_offset>},
            {"length_bytes", &YamlContract::read_number_of<&FrameHeader::length_bytes>},
            {"byte_order", &YamlContract::read_byte_order},
            {"length_includes_header", &YamlContract::read_length_includes_header}};
        FrameHeader header;
        read_map(*this, value, "a header", kKeys, header);
        check_header(value, header);
        contract.header = header;
    }

    void check_header(const YamlNode& value, const FrameHeader& header) {
        constexpr uint64_t kTypeBytes = 2;
        if (header.length_bytes != 2 && header.length_bytes != 4) {
            problem(value,
                    "the length of a frame has 2 or 4 bytes, not " + std::to_string(header.length_bytes));
        } else if (header.type_offset + kTypeBytes > header.size ||
                   header.length_offset + header.length_bytes > header.size) {
            problem(value, "the type or the length does not lie within the " + std::to_string(header.size) +
                               " bytes of the header");
        } else if (header.type_offset < header.length_offset + header.length_bytes &&
                   header.length_offset < header.type_offset + kTypeBytes) {
            problem(value, "the type and the length of the header overlap");
        }
    }

    template <uint64_t FrameHeader::*Member>
    void read_number_of(FrameHeader& header, const YamlNode& value) {
        constexpr uint64_t kLargestHeader = 32;
        (void)read_number(value, kLargestHeader, header.*Member);
    }

    void read_byte_order(FrameHeader& header, const YamlNode& value) {
        if (value.text != "little" && value.text != "big") {
            problem(value, "expected little or big");
        }
        header.big_endian = value.text == "big";
    }

    void read_length_includes_header(FrameHeader& header, const YamlNode& value) {
        (void)read_bool(value, header.length_includes_header);
    }

    void read_messages(Contract& contract, const YamlNode& value) {
        has_messages_ = true;
        if (value.kind != Kind::sequence) {
            problem(value, "expected a list of messages");
            return;
        }
        if (value.items.empty()) {
            problem(value, "the contract has no messages");
        }
        for (const YamlNode* item : value.items) {
            read_message(contract, *item);
        }
    }

    void read_message(Contract& contract, const YamlNode& node) {
        static constexpr Key<Message> kKeys[] = {{"name", &YamlContract::read_message_name},
                                                 {"type_id", &YamlContract::read_type_id},
                                                 {"fields", &YamlContract::read_fields},
                                                 {"size", &YamlContract::read_declared_size},
                                                 {"header", &YamlContract::read_message_header}};
        Message message;
        message.place = document_.place(node);
        has_fields_ = false;
        field_names_.clear();
        read_map(*this, node, "a message", kKeys, message);
        if (node.kind != Kind::map) {
            return;
        }
        if (message.name.empty()) {
            problem(node, "the message has no name");
            return;
        }
        if (is_builtin_type(message.name)) {
            problems_.add(message.place, quoted(message.name) + " is the name of a type");
        }
        if (!has_fields_ && !message.declared_size) {
            problem(node, "the message " + quoted(message.name) + " has neither fields nor a size");
        }
        contract.messages.push_back(std::move(message));
    }

    void read_message_name(Message& message, const YamlNode& value) {
        if (read_text(value, message.name)) {
            message.full_name = message.name;
            message.place = document_.place(value);
        }
    }

    void read_type_id(Message& message, const YamlNode& value) {
        uint64_t id = 0;
        if (value.kind != Kind::scalar || !parse_count(value.text, id) || id > UINT16_MAX) {
            problem(value, "expected a type id from 0 to 65535" +
                               (value.kind == Kind::scalar ? ", not " + quoted(value.text) : ""));
            return;
        }
        message.type_id = id;
        message.type_id_place = document_.place(value);
    }

    void read_declared_size(Message& message, const YamlNode& value) {
        uint64_t size = 0;
        if (read_number(value, kMostBytes, size)) {
            message.declared_size = size;
            message.size_place = document_.place(value);
        }
    }

    /// true stands for the header of the frames.
    void read_message_header(Message& message, const YamlNode& value) {
        if (value.kind == Kind::scalar && (value.text == "true" || value.text == "false")) {
            with_frame_header_.push_back({contract_.messages.size(), value.text == "true"});
            return;
        }
        (void)read_number(value, kMostBytes, message.header_bytes);
    }

    void read_fields(Message& message, const YamlNode& value) {
        has_fields_ = true;
        if (value.kind != Kind::sequence) {
            problem(value, "expected a list of fields");
            return;
        }
        for (const YamlNode* item : value.items) {
            read_field(message, *item);
        }
    }

    void read_field(Message& message, const YamlNode& node) {
        static constexpr Key<Field> kKeys[] = {{"name", &YamlContract::read_field_name},
                                               {"type", &YamlContract::read_type},
                                               {"max_bytes", &YamlContract::read_max_bytes},
                                               {"max_items", &YamlContract::read_max_items}};
        Field field;
        field.place = document_.place(node);
        has_type_ = false;
        read_map(*this, node, "a field", kKeys, field);
        if (node.kind != Kind::map) {
            return;
        }
        if (field.name.empty() || !has_type_) {
            problem(node, field.name.empty() ? "the field has no name"
                                             : "the field " + quoted(field.name) + " has no type");
            return;
        }
        if (!field_names_.insert(field.name).second) {
            problems_.add(field.place, "the field " + quoted(field.name) + " occurs twice");
        }
        if (field.max_bytes && field.kind != FieldKind::variable) {
            problems_.add(field.place,
                          "max_bytes is for string and bytes; " + quoted(field.name) + " is neither");
        }
        if (field.max_items && !field.is_array) {
            field.is_list = true;
        }
        message.fields.push_back(std::move(field));
    }

    void read_field_name(Field& field, const YamlNode& value) {
        if (read_text(value, field.name)) {
            field.place = document_.place(value);
        }
    }

    void read_type(Field& field, const YamlNode& value) {
        std::string type;
        has_type_ = true;
        if (!read_text(value, type)) {
            return;
        }
        const std::optional<uint64_t> max_items = field.max_items;  // if it came first
        if (const std::string wrong = set_type(field, type); !wrong.empty()) {
            problem(value, wrong);
        }
        if (field.is_array && max_items) {
            problem(value, "the length of an array is fixed; it takes no max_items");
        }
        if (field.kind == FieldKind::message) {
            named_types_.push_back({field.type, document_.place(value)});
        }
    }

    void read_max_bytes(Field& field, const YamlNode& value) {
        uint64_t bytes = 0;
        // Also if it is invalid, so that the field is not reported as one without a bound.
        (void)read_number(value, kMostBytes, bytes);
        field.max_bytes = bytes;
    }

    void read_max_items(Field& field, const YamlNode& value) {
        if (field.is_array) {
            problem(value, "the length of an array is fixed; it takes no max_items");
            return;
        }
        uint64_t items = 0;
        (void)read_number(value, kMostBytes, items);
        field.max_items = items;
    }

    /// Messages may be described in any order, so names are checked at the end.
    void check_types() {
        for (const auto& [message, has_header] : with_frame_header_) {
            if (message < contract_.messages.size() && has_header) {
                contract_.messages[message].header_bytes = contract_.header.size;
            }
        }
        std::set<std::string_view> messages;
        std::vector<std::string_view> known = builtin_types();
        for (const Message& message : contract_.messages) {
            messages.insert(message.name);
            known.push_back(message.name);
        }
        for (const auto& [type, place] : named_types_) {
            if (!messages.contains(type)) {
                problems_.add(place, "there is no type or message " + quoted(type) +
                                         problems_.suggestion(type, known));
            }
        }
    }

    Contract& contract_;
    bool has_messages_ = false;
    bool has_fields_ = false;  // of the current message
    bool has_type_ = false;    // of the current field
    std::set<std::string> field_names_;
    std::vector<std::pair<size_t, bool>> with_frame_header_;
    std::vector<std::pair<std::string, Place>> named_types_;
};

}  // namespace

Contract read_yaml_contract(const std::string& file, const std::string& text, Problems& problems) {
    Contract contract;
    contract.file = file;
    const YamlDocument document{file, text, problems};
    if (document.root() != nullptr) {
        YamlContract{document, contract, problems}.read(*document.root());
    }
    return contract;
}

}  // namespace hotlane::cli
