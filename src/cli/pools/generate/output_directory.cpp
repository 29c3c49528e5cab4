// SPDX-License-Identifier: MIT
//
// Writes under another name first, in the same directory, and then renames.
#include "cli/pools/generate/output_directory.h"

#include "cli/text/text_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

[[noreturn]] void fail(const std::string& file) { throw FileError{file + ": " + strerror(errno)}; }

/// A directory that stays the same whatever is renamed meanwhile.
class Directory {
  public:
    explicit Directory(const std::string& name) : name_{name} {
        constexpr mode_t kMode = 0777;
        if (mkdir(name.c_str(), kMode) != 0 && errno != EEXIST) {
            fail(name);
        }
        descriptor_ = open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor_ < 0) {
            fail(name);
        }
    }
    ~Directory() { close(descriptor_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    int descriptor() const { return descriptor_; }
    std::string path(const std::string& file) const { return name_ + "/" + file; }

  private:
    std::string name_;
    int descriptor_ = -1;
};

/// A file under a name that nobody else has. It is removed unless it is renamed.
class NewFile {
  public:
    NewFile(const Directory& directory, const std::string& final_name)
        : directory_{directory}, final_name_{final_name} {
        constexpr mode_t kMode = 0666;
        constexpr int kTries = 100;
        for (int i = 0; i < kTries && descriptor_ < 0; ++i) {
            name_ = "." + final_name + "." + std::to_string(getpid()) + "." + std::to_string(i);
            descriptor_ = openat(directory.descriptor(), name_.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode);
            if (descriptor_ < 0 && errno != EEXIST) {
                break;
            }
        }
        if (descriptor_ < 0) {
            fail(directory_.path(name_));
        }
    }
    ~NewFile() {
        if (descriptor_ >= 0) {
            close(descriptor_);
            unlinkat(directory_.descriptor(), name_.c_str(), 0);
        }
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    void write(std::string_view text) { write_all(descriptor_, text, directory_.path(final_name_)); }

    void rename_to_final() {
        const int directory = directory_.descriptor();
        if (renameat(directory, name_.c_str(), directory, final_name_.c_str()) != 0) {
            fail(directory_.path(final_name_));
        }
        close(descriptor_);
        descriptor_ = -1;
    }

  private:
    const Directory& directory_;
    const std::string& final_name_;
    std::string name_;
    int descriptor_ = -1;
};

/// Escapes what make and ninja give a meaning to, as compilers do.
std::string escaped(const std::string& file) {
    std::string text;
    for (const char c : file) {
        if (c == ' ' || c == '#') {
            text += '\\';
        } else if (c == '$') {
            text += '$';
        }
        text += c;
    }
    return text;
}

}  // namespace

void replace_file(const std::string& directory, const std::string& name, std::string_view text) {
    const Directory opened{directory};
    NewFile file{opened, name};
    file.write(text);
    file.rename_to_final();
}

std::string dependency_rule(const std::string& target, const std::vector<std::string>& sources) {
    std::string text = escaped(target) + ":";
    for (const std::string& source : sources) {
        text += " \\\n  " + escaped(source);
    }
    return text + "\n";
}

}  // namespace hotlane::cli
