// SPDX-License-Identifier: MIT
//
// Reads the table of a service. Its keys are rows of a table.
#include "cli/pools/service/service.h"

#include "cli/pools/contract/contract.h"
#include "cli/pools/service/toml.h"
#include "text/units.h"

#include <algorithm>
#include <set>

namespace hotlane::cli {

namespace {

class ServiceReader {
  public:
    ServiceReader(const std::string& file, Problems& problems) : file_{file}, problems_{problems} {}

    Service read(const toml::table& root, const std::string& name) {
        const toml::node* services = root.get("service");
        if (services == nullptr || !services->is_table()) {
            problems_.add({file_}, "the file has no table [service.NAME]");
            return {};
        }
        const auto* found = find(*services->as_table(), name);
        if (found == nullptr) {
            return {};
        }
        Service service;
        service.name = name.empty() ? only_name_ : name;
        service.place = place(*found);
        read_service_table(*found->as_table(), service);
        return service;
    }

  private:
    struct Key {
        std::string_view name;
        void (ServiceReader::*read)(const toml::node& value, Service& service);
    };

    Place place(const toml::source_position& at) const { return {file_, at.line, at.column}; }
    Place place(const toml::node& node) const { return place(node.source().begin); }
    void problem(const toml::node& node, const std::string& what) { problems_.add(place(node), what); }

    const toml::node* find(const toml::table& services, const std::string& name) {
        std::vector<std::string_view> known;
        const toml::node* found = nullptr;
        for (const auto& [key, value] : services) {
            known.push_back(key.str());
            if (name.empty() ? services.size() == 1 : key.str() == name) {
                found = &value;
                only_name_ = key.str();
            }
        }
        if (found == nullptr && name.empty()) {
            problems_.add({file_}, "the file has " + std::to_string(known.size()) +
                                       " services; choose one with --service NAME");
        } else if (found == nullptr) {
            problems_.add({file_}, "there is no service " + quoted(name) + problems_.suggestion(name, known));
        } else if (!found->is_table()) {
            problem(*found, "expected a table [service." + only_name_ + "]");
            found = nullptr;
        }
        return found;
    }

    void read_service_table(const toml::table& table, Service& service) {
        static constexpr Key kKeys[] = {
            {"messages", &ServiceReader::read_messages},
            {"buffer_pool_enabled", &ServiceReader::read_flag<&Service::is_enabled>},
            {"budget", &ServiceReader::read_budget},
            {"in_flight", &ServiceReader::read_in_flight},
            {"exhausted", &ServiceReader::read_exhausted},
            {"shared", &ServiceReader::read_shared},
            {"max_capacity", &ServiceReader::read_max_capacity},
            {"growth", &ServiceReader::read_growth},
            {"clear", &ServiceReader::read_flag<&Service::clears>},
            {"memory_limit", &ServiceReader::read_memory_limit}};
        for (const auto& [name, value] : table) {
            const auto has_name = [name = name.str()](const Key& key) { return key.name == name; };
            const auto* key = std::find_if(std::begin(kKeys), std::end(kKeys), has_name);
            if (key != std::end(kKeys)) {
                (this->*key->read)(value, service);
                continue;
            }
            std::vector<std::string_view> known;
            for (const Key& one : kKeys) {
                known.push_back(one.name);
            }
            problems_.add(place(name.source().begin), quoted(name.str()) + " is not a key of a service" +
                                                          problems_.suggestion(name.str(), known));
        }
        if (service.shared == "reader_and_worker" && service.max_capacity != 0) {
            problems_.add(
                service.shared_place,
                "pools for a reader and a worker cannot grow; remove max_capacity, or write shared = true");
        }
        if (service.messages.empty() && !has_bad_messages_) {
            problems_.add(service.place, "the service " + quoted(service.name) +
                                             " has no messages; list them in messages = [...]");
        }
    }

    void read_messages(const toml::node& value, Service& service) {
        const toml::array* list = value.as_array();
        if (list == nullptr) {
            has_bad_messages_ = true;
            problem(value, "expected a list of names of messages");
            return;
        }
        std::set<std::string> seen;
        for (const toml::node& item : *list) {
            const auto name = item.value<std::string>();
            if (!item.is_string() || name->empty()) {
                has_bad_messages_ = true;
                problem(item, "expected the name of a message");
            } else if (!seen.insert(*name).second) {
                problem(item, "the message " + quoted(*name) + " is listed twice");
            } else {
                service.messages.push_back({*name, place(item)});
            }
        }
    }

    template <bool Service::*Member>
    void read_flag(const toml::node& value, Service& service) {
        const toml::value<bool>* flag = value.as_boolean();
        if (flag == nullptr) {
            problem(value, "expected true or false");
            return;
        }
        service.*Member = flag->get();
    }

    /// Reads an integer, or a text such as "128K".
    std::optional<uint64_t> size_of(const toml::node& value) {
        uint64_t bytes = 0;
        bool is_valid = false;
        if (const auto* integer = value.as_integer(); integer != nullptr && integer->get() > 0) {
            bytes = static_cast<uint64_t>(integer->get());
            is_valid = true;
        } else if (const auto* text = value.as_string(); text != nullptr) {
            is_valid = parse_size(text->get(), bytes) && bytes > 0;
        }
        if (!is_valid || bytes > kMostBytes) {
            problem(value, "expected a size such as \"128K\", from 1 to 1G");
            return std::nullopt;
        }
        return bytes;
    }

    void read_budget(const toml::node& value, Service& service) {
        service.budget = size_of(value).value_or(service.budget);
    }

    std::optional<uint64_t> count_of(const toml::node& value) {
        constexpr int64_t kMost = 1'000'000;
        const auto* count = value.as_integer();
        if (count == nullptr || count->get() < 1 || count->get() > kMost) {
            problem(value, "expected a number of buffers from 1 to " + std::to_string(kMost));
            return std::nullopt;
        }
        return static_cast<uint64_t>(count->get());
    }

    void read_in_flight(const toml::node& value, Service& service) { service.in_flight = count_of(value); }

    void read_max_capacity(const toml::node& value, Service& service) {
        service.max_capacity = count_of(value).value_or(0);
    }

    void read_growth(const toml::node& value, Service& service) {
        const auto factor = value.value<double>();
        if (!value.is_number() || !(*factor >= 1 && *factor <= 100)) {
            problem(value, "expected a factor from 1 to 100, such as 1.5");
            return;
        }
        service.growth = *factor;
    }

    void read_shared(const toml::node& value, Service& service) {
        service.shared_place = place(value);
        if (const auto* flag = value.as_boolean()) {
            service.shared = flag->get() ? "any_thread" : "one_thread";
        } else if (value.is_string() && *value.value<std::string>() == "reader_and_worker") {
            service.shared = "reader_and_worker";
        } else {
            problem(value, "expected true, false or \"reader_and_worker\"");
        }
    }

    void read_exhausted(const toml::node& value, Service& service) {
        const auto text = value.value<std::string>();
        if (!value.is_string() || (*text != "fallback" && *text != "fail")) {
            problem(value, "expected \"fallback\" or \"fail\"");
            return;
        }
        service.falls_back = *text == "fallback";
    }

    void read_memory_limit(const toml::node& value, Service& service) {
        service.memory_limit = size_of(value);
        service.limit_place = place(value);
    }

    const std::string& file_;
    Problems& problems_;
    std::string only_name_;
    bool has_bad_messages_ = false;
};

/// Returns the place of a key with very many parts (a.a.a...), if there is one. The library would make a table of each
/// part, one in another, and then use up the stack.
std::optional<Place> place_of_deep_key(const std::string& file, const std::string& text) {
    constexpr int kMostParts = 32;
    constexpr std::string_view kEnds = "\n=,[]{}#";
    int parts = 1;
    Place place{file, 1, 1};
    char previous = 0;
    for (const char c : text) {
        const bool is_no_key = kEnds.find(c) != kEnds.npos || (c == '.' && previous == '.');
        parts = is_no_key ? 1 : parts + (c == '.' ? 1 : 0);
        previous = c;
        if (parts > kMostParts) {
            return place;
        }
        place.line += c == '\n' ? 1 : 0;
        place.column = c == '\n' ? 1 : place.column + 1;
    }
    return std::nullopt;
}

}  // namespace

Service read_service(const std::string& file, const std::string& text, const std::string& name,
                     Problems& problems) {
    if (const auto place = place_of_deep_key(file, text)) {
        problems.add(*place, "more than 32 parts with dots between them");
        return {};
    }
    try {
        const toml::table root = toml::parse(text, file);
        return ServiceReader{file, problems}.read(root, name);
    } catch (const toml::parse_error& error) {
        const toml::source_position at = error.source().begin;
        problems.add({file, at.line, at.column}, "not TOML: " + std::string{error.description()});
    }
    return {};
}

}  // namespace hotlane::cli
