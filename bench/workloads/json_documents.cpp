// SPDX-License-Identifier: MIT
// Builds and drops JSON documents through the standard containers, as services do all day. Text is parsed
// into a tree of strings, arrays and objects, written again, compared and dropped.
#include "common/workload.h"

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

namespace {

struct Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value>;

struct Value {
    std::variant<std::int64_t, bool, std::string, Array, Object> content;
};

// Text as one service would send it to another: nested objects, arrays of numbers, strings of various
// lengths.
void generate(std::string& out, bench::Rng& random, unsigned depth) {
    const std::uint32_t kind = depth == 0 ? random.below(3) : random.below(8);
    if (kind == 0) {
        out += std::to_string(random.below(1000000));
    } else if (kind == 1) {
        out += random.below(2) == 0 ? "true" : "false";
    } else if (kind == 2) {
        out += '"';
        out.append(random.log_uniform(2, 7), static_cast<char>('a' + random.below(26)));
        out += '"';
    } else if (kind < 5) {
        out += '[';
        for (std::uint32_t i = random.between(1, 8); i > 0; --i) {
            generate(out, random, depth - 1);
            out += i > 1 ? "," : "";
        }
        out += ']';
    } else {
        out += '{';
        for (std::uint32_t i = random.between(2, 8); i > 0; --i) {
            // The number in front keeps the keys in order, so that writing reproduces the text.
            out.append("\"").append(std::to_string(9 - i)).append("_field_name\":");
            generate(out, random, depth - 1);
            out += i > 1 ? "," : "";
        }
        out += '}';
    }
}

// Reads the text of generate: no spaces, no escapes, no empty arrays or objects.
class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Value value() {
        switch (text_[at_]) {
        case '{':
            return {object()};
        case '[':
            return {array()};
        case '"':
            return {string()};
        case 't':
            at_ += 4;
            return {true};
        case 'f':
            at_ += 5;
            return {false};
        default:
            return {number()};
        }
    }

  private:
    Object object() {
        Object members;
        while (text_[at_++] != '}') {
            std::string key = string();
            ++at_;
            members.emplace(std::move(key), value());
        }
        return members;
    }

    Array array() {
        Array items;
        while (text_[at_++] != ']') {
            items.push_back(value());
        }
        return items;
    }

    std::string string() {
        const std::size_t end = text_.find('"', at_ + 1);
        std::string found(text_.substr(at_ + 1, end - at_ - 1));
        at_ = end + 1;
        return found;
    }

    std::int64_t number() {
        std::int64_t parsed = 0;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
            parsed = parsed * 10 + (text_[at_++] - '0');
        }
        return parsed;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

void write(const Value& value, std::string& out);

struct Writer {
    std::string& out;

    void operator()(std::int64_t number) const { out += std::to_string(number); }
    void operator()(bool truth) const { out += truth ? "true" : "false"; }
    void operator()(const std::string& text) const { out.append("\"").append(text).append("\""); }
    void operator()(const Array& items) const {
        out += '[';
        for (const Value& item : items) {
            out += &item != items.data() ? "," : "";
            write(item, out);
        }
        out += ']';
    }
    void operator()(const Object& members) const {
        out += '{';
        for (bool first = true; const auto& [key, member] : members) {
            out.append(first ? "\"" : ",\"").append(key).append("\":");
            write(member, out);
            first = false;
        }
        out += '}';
    }
};

void write(const Value& value, std::string& out) { std::visit(Writer{out}, value.content); }

std::uint64_t work(std::uint64_t documents, std::uint64_t seed) {
    bench::Rng random(seed);
    std::vector<std::string> texts(64);
    for (std::string& text : texts) {
        text = "{\"0_field_name\":";
        generate(text, random, 5);
        text += '}';
    }
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < documents; ++i) {
        const std::string& text = texts[i % texts.size()];
        const Value document = Parser(text).value();
        std::string written;
        write(document, written);
        if (written != text) {
            bench::broken("a document changed", written.data(), written.size());
        }
        bytes += written.size();
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "JSON documents parsed, written and dropped");
    const auto threads = arguments.number("threads", 2, "threads");
    const auto documents = arguments.work("documents", 32000, "documents of each thread");
    arguments.finish();

    const bench::Stopwatch watch;
    std::atomic<std::uint64_t> bytes{0};
    std::vector<std::jthread> workers;
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] { bytes += work(documents, t + 1); });
    }
    workers.clear();
    return bench::report(arguments.program(), threads * documents, watch.seconds(), bytes);
}
