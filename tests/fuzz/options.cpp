// SPDX-License-Identifier: MIT
//
// Fuzzes the options with any bytes as an environment, as a file of options, or as a value. Each value either changes nothing, or is accepted and
// printed in a form that can be read back.
#include "input.h"
#include "options/config.h"
#include "options/labels.h"
#include "reports/output_file.h"

#include <cstring>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace hotlane;
using fuzz::require;

namespace {

std::string printed(const Option& option, const Config& config) {
    char memory[2 * KiB];
    Writer out{memory, sizeof memory};
    print_value(out, option, config);
    require(out.ok(), "room for a value");
    return {memory, out.bytes_written()};
}

void set_each(std::string_view value) {
    for (const Option& option : options()) {
        Config config;
        const std::string before = printed(option, config);
        if (!set_option(config, option, value)) {
            require(printed(option, config) == before, "what is refused changes nothing");
            continue;
        }
        const std::string text = printed(option, config);
        Config again;
        // A rate is printed with only two digits.
        require(set_option(again, option, text), "what is printed can be read");
        require(option.type == OptionType::percent || printed(option, again) == text, "it is the same then");
    }
}

void read_environment(std::string_view text) {
    std::string bytes{text};  // "NAME=VALUE" strings, with a null character between them
    std::vector<char*> list;
    for (size_t at = 0; at < bytes.size(); at += strlen(bytes.data() + at) + 1) {
        list.push_back(bytes.data() + at);
    }
    list.push_back(nullptr);
    char** before = environ;
    environ = list.data();
    Config config;
    read_config(config, true);
    environ = before;
    char path[Config::kPathCapacity];
    if (expand_path(config.stats_file, {.process_id = 1, .program = "p"}, path, sizeof path)) {
        require(strlen(path) < sizeof path, "a path within its bounds");
    }
    char memory[64 * 1024];
    Writer out{memory, sizeof memory};
    print_config(out, config);
    require(out.ok(), "room for the table");
}

/// Reads the text as the file of HOTLANE_CONFIG.
void read_file(std::string_view text) {
    const int file = memfd_create("options", MFD_CLOEXEC);
    require(file >= 0 && fchmod(file, 0600) == 0, "a file in memory");
    require(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
            "the text in the file");
    read_environment("HOTLANE_CONFIG=/proc/self/fd/" + std::to_string(file));
    close(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (text.starts_with("HOTLANE_")) {
        read_environment(text);
    } else if (text.starts_with("#")) {
        read_file(text);
    } else {
        set_each(text.substr(0, text.find('\0')));
    }
    return 0;
}
