// SPDX-License-Identifier: MIT
//
// Reads values and maps of a YAML document, and reports what is wrong with them.
#pragma once

#include "cli/pools/yaml/yaml_document.h"
#include "text/units.h"

#include <algorithm>
#include <set>

namespace hotlane::cli {

/// A key of a map, and what reads its value into the object that the map describes.
template <typename Reader, typename Object>
struct YamlKey {
    std::string_view name;
    void (Reader::*read)(Object& object, const YamlNode& value);
};

class YamlReader {
  protected:
    YamlReader(const YamlDocument& document, Problems& problems) : document_{document}, problems_{problems} {}

    void problem(const YamlNode& node, const std::string& what) {
        problems_.add(document_.place(node), what);
    }

    /// Reads a map by the table of its keys.
    template <typename Reader, typename Object, size_t N>
    void read_map(Reader& reader, const YamlNode& node, const std::string& what,
                  const YamlKey<Reader, Object> (&keys)[N], Object& object) {
        if (node.kind != YamlNode::Kind::map) {
            problem(node, "expected " + what + ": a map of keys and values");
            return;
        }
        std::set<std::string_view> seen;
        for (const auto& [name, value] : node.entries) {
            const auto has_name = [name = name](const auto& key) { return key.name == name->text; };
            const auto key = std::find_if(std::begin(keys), std::end(keys), has_name);
            if (key == std::end(keys)) {
                std::vector<std::string_view> known;
                for (const auto& one : keys) {
                    known.push_back(one.name);
                }
                problem(*name, quoted(name->text) + " is not a key of " + what +
                                   problems_.suggestion(name->text, known));
            } else if (!seen.insert(key->name).second) {
                problem(*name, "the key " + quoted(name->text) + " occurs twice");
            } else {
                (reader.*key->read)(object, *value);
            }
        }
    }

    bool read_text(const YamlNode& node, std::string& text) {
        if (node.kind != YamlNode::Kind::scalar || node.text.empty()) {
            problem(node, "expected a name");
            return false;
        }
        text = node.text;
        return true;
    }

    /// Units such as 64K are accepted.
    bool read_number(const YamlNode& node, uint64_t most, uint64_t& number) {
        uint64_t parsed = 0;
        const bool is_scalar = node.kind == YamlNode::Kind::scalar;
        if (!is_scalar || !parse_size(node.text, parsed) || parsed > most) {
            problem(node, "expected a number from 0 to " + std::to_string(most) +
                              (is_scalar ? ", not " + quoted(node.text) : ""));
            return false;
        }
        number = parsed;
        return true;
    }

    bool read_bool(const YamlNode& node, bool& value) {
        if (node.kind != YamlNode::Kind::scalar || (node.text != "true" && node.text != "false")) {
            problem(node, "expected true or false");
            return false;
        }
        value = node.text == "true";
        return true;
    }

    const YamlDocument& document_;
    Problems& problems_;
};

}  // namespace hotlane::cli
