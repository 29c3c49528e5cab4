// SPDX-License-Identifier: MIT
// The command line of a benchmark program: named numbers with defaults, --scale, --help. Allocates nothing
// that outlives the parsing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

[[noreturn]] inline void fail(const char* program, const char* what, const char* detail) {
    std::fprintf(stderr, "%s: %s: %s\n", program, what, detail);
    std::exit(2);
}

// Options are queried one by one. Each query parses the command line, so no table of options is needed.
// `finish` reports the arguments that no query asked for. With --help, each query prints its line and
// `finish` ends the program.
class Arguments {
  public:
    Arguments(int argc, char** argv, const char* summary) : count_(argc), values_(argv) {
        const char* slash = std::strrchr(argv[0], '/');
        program_ = slash != nullptr ? slash + 1 : argv[0];
        if (argc > kMostArguments) {
            fail(program_, "too many arguments", argv[kMostArguments]);
        }
        help_ = argc > 1 && std::strcmp(argv[1], "--help") == 0;
        if (help_) {
            std::printf("%s: %s\n", program_, summary);
        }
        scale_ = real("scale", 1.0, "multiplies the amount of work");
    }

    const char* program() const { return program_; }

    // A count or a size; K, M and G multiply by powers of 1,024.
    std::uint64_t number(const char* name, std::uint64_t otherwise, const char* help) {
        if (help_) {
            std::printf("  --%-14s %s (default %llu)\n", name, help,
                        static_cast<unsigned long long>(otherwise));
        }
        const char* text = find(name);
        if (text == nullptr) {
            return otherwise;
        }
        char* end = nullptr;
        const std::uint64_t value = std::strtoull(text, &end, 10);
        const std::uint64_t unit = unit_of(end);
        if (end == text || unit == 0) {
            fail(program_, "not a number", text);
        }
        return value * unit;
    }

    // An amount of work: multiplied by --scale, but never less than one.
    std::uint64_t work(const char* name, std::uint64_t otherwise, const char* help) {
        const auto scaled =
            static_cast<std::uint64_t>(static_cast<double>(number(name, otherwise, help)) * scale_);
        return scaled > 0 ? scaled : 1;
    }

    double real(const char* name, double otherwise, const char* help) {
        if (help_) {
            std::printf("  --%-14s %s (default %g)\n", name, help, otherwise);
        }
        const char* text = find(name);
        if (text == nullptr) {
            return otherwise;
        }
        char* end = nullptr;
        const double value = std::strtod(text, &end);
        if (end == text || *end != '\0' || value <= 0) {
            fail(program_, "not a positive number", text);
        }
        return value;
    }

    const char* text(const char* name, const char* otherwise, const char* help) {
        if (help_) {
            std::printf("  --%-14s %s (default %s)\n", name, help, otherwise);
        }
        const char* value = find(name);
        return value != nullptr ? value : otherwise;
    }

    void finish() const {
        if (help_) {
            std::exit(0);
        }
        for (int i = 1; i < count_; ++i) {
            if (!used_[i]) {
                fail(program_, "unknown argument (see --help)", values_[i]);
            }
        }
    }

  private:
    static constexpr int kMostArguments = 64;

    static std::uint64_t unit_of(const char* suffix) {
        switch (*suffix) {
        case '\0':
            return 1;
        case 'K':
            return 1ULL << 10;
        case 'M':
            return 1ULL << 20;
        case 'G':
            return 1ULL << 30;
        default:
            return 0;
        }
    }

    // The value of `--name value` or `--name=value`.
    const char* find(const char* name) {
        const std::size_t length = std::strlen(name);
        for (int i = 1; i < count_; ++i) {
            const char* argument = values_[i];
            if (std::strncmp(argument, "--", 2) != 0 || std::strncmp(argument + 2, name, length) != 0) {
                continue;
            }
            if (argument[2 + length] == '=') {
                used_[i] = true;
                return argument + 2 + length + 1;
            }
            if (argument[2 + length] == '\0' && i + 1 < count_) {
                used_[i] = used_[i + 1] = true;
                return values_[i + 1];
            }
        }
        return nullptr;
    }

    int count_;
    char** values_;
    const char* program_ = nullptr;
    bool help_ = false;
    double scale_ = 1.0;
    bool used_[kMostArguments] = {};
};

}  // namespace bench
