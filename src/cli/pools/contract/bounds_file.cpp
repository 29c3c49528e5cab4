// SPDX-License-Identifier: MIT
//
// Splits lines into words, and finds the field that each line is about.
#include "cli/pools/contract/bounds_file.h"

#include "text/units.h"

#include <map>

namespace hotlane::cli {

namespace {

struct Word {
    std::string_view text;
    Place place;
};

/// The words of a line, up to a comment.
std::vector<Word> words_of(std::string_view line, const std::string& file, uint32_t number) {
    std::vector<Word> words;
    line = line.substr(0, line.find('#'));
    size_t at = 0;
    while ((at = line.find_first_not_of(" \t\r", at)) != line.npos) {
        const size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
        words.push_back({line.substr(at, end - at), {file, number, static_cast<uint32_t>(at) + 1}});
        at = end;
    }
    return words;
}

class Bounds {
  public:
    Bounds(Contract& contract, Problems& problems) : contract_{contract}, problems_{problems} {
        for (size_t i = 0; i < contract.messages.size(); ++i) {
            const Message& message = contract.messages[i];
            add_names(message, message.full_name, i);
            add_names(message, message.name, i);
        }
    }

    void apply(const std::vector<Word>& words) {
        const auto message = messages_.find(std::string{words[0].text});
        const auto field = fields_.find(std::string{words[0].text});
        if (message == messages_.end() && field == fields_.end()) {
            problems_.add(words[0].place, "there is no message or field " + quoted(words[0].text) + " in " +
                                              contract_.file + problems_.suggestion(words[0].text, names()));
            return;
        }
        if (words.size() == 1) {
            problems_.add(words[0].place, "expected a bound after the name, such as max_bytes:64");
        }
        for (size_t i = 1; i < words.size(); ++i) {
            if (message != messages_.end()) {
                set(contract_.messages[message->second], words[i]);
            } else {
                set(contract_.messages[field->second.first].fields[field->second.second], words[i]);
            }
        }
    }

  private:
    /// Names are given as "MESSAGE" and "MESSAGE.FIELD". The first of several with one name counts.
    void add_names(const Message& message, const std::string& name, size_t index) {
        if (!message.is_entry) {
            messages_.emplace(name, index);
        }
        for (size_t i = 0; i < message.fields.size(); ++i) {
            fields_.emplace(name + "." + message.fields[i].name, std::pair{index, i});
        }
    }

    std::vector<std::string_view> names() const {
        std::vector<std::string_view> all;
        for (const auto& [name, index] : messages_) {
            all.push_back(name);
        }
        for (const auto& [name, index] : fields_) {
            all.push_back(name);
        }
        return all;
    }

    /// Splits "KEY:VALUE".
    bool parse(const Word& word, std::string_view& key, uint64_t& value) {
        const size_t colon = word.text.find(':');
        key = word.text.substr(0, colon);
        if (colon == word.text.npos || !parse_size(word.text.substr(colon + 1), value) ||
            value > kMostBytes) {
            problems_.add(word.place, "expected KEY:NUMBER, such as max_bytes:64, not " + quoted(word.text));
            return false;
        }
        return true;
    }

    void set(Message& message, const Word& word) {
        std::string_view key;
        uint64_t value = 0;
        if (!parse(word, key, value)) {
            return;
        }
        if (key != "type_id") {
            problems_.add(word.place, quoted(key) + " is not a key of a message; only type_id is");
            return;
        }
        message.type_id = value;
        message.type_id_place = word.place;
    }

    void set(Field& field, const Word& word) {
        std::string_view key;
        uint64_t value = 0;
        if (!parse(word, key, value)) {
            return;
        }
        const bool is_size = key == "max_bytes" || key == "max_size" || key == "max_length";
        if (!is_size && key != "max_items" && key != "max_count") {
            problems_.add(word.place, quoted(key) + " is not a key of a field" +
                                          problems_.suggestion(key, {"max_bytes", "max_items", "max_size",
                                                                     "max_length", "max_count"}));
        } else if (is_size && field.kind != FieldKind::variable) {
            problems_.add(word.place, quoted(field.name) + " is neither a string nor bytes");
        } else if (!is_size && !field.is_list) {
            problems_.add(word.place, quoted(field.name) + " is neither a list nor a map");
        } else if (is_size) {
            // nanopb counts the null character that ends a string in C.
            field.max_bytes = key == "max_size" && field.is_string && value > 0 ? value - 1 : value;
        } else {
            field.max_items = value;
        }
    }

    Contract& contract_;
    Problems& problems_;
    std::map<std::string, size_t> messages_;
    std::map<std::string, std::pair<size_t, size_t>> fields_;
};

}  // namespace

void apply_bounds(Contract& contract, const std::string& file, std::string_view text, Problems& problems) {
    Bounds bounds{contract, problems};
    for (uint32_t number = 1; !text.empty(); ++number) {
        const size_t end = text.find('\n');
        const std::vector<Word> words = words_of(text.substr(0, end), file, number);
        if (!words.empty()) {
            bounds.apply(words);
        }
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
}

}  // namespace hotlane::cli
