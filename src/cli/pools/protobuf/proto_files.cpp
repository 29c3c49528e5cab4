// SPDX-License-Identifier: MIT
//
// Reads files into memory, with a bound for each.
#include "cli/pools/protobuf/proto_files.h"

#include "cli/pools/contract/input_file.h"

#include <filesystem>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/wrappers.pb.h>

namespace hotlane::cli {

namespace {

/// An import must not lead out of the directories.
bool is_inside(const std::filesystem::path& name) {
    if (name.is_absolute()) {
        return false;
    }
    for (const auto& part : name) {
        if (part == "..") {
            return false;
        }
    }
    return true;
}

}  // namespace

google::protobuf::io::ZeroCopyInputStream* ProtoFiles::Open(const std::string& name) {
    if (!is_inside(name)) {
        return nullptr;
    }
    for (const std::string& directory : directories_) {
        const std::string path = (std::filesystem::path{directory} / name).lexically_normal();
        std::error_code error;
        if (!std::filesystem::exists(path, error)) {
            continue;
        }
        auto text = read_input(path, kMostText, problems_);
        if (!text) {
            return nullptr;
        }
        File& file = files_[name];
        file = {path, std::move(*text)};
        return new google::protobuf::io::ArrayInputStream(file.text.data(),
                                                          static_cast<int>(file.text.size()));
    }
    return nullptr;
}

Place ProtoFiles::place(const std::string& name, int line, int column) const {
    const auto found = files_.find(name);
    return {found == files_.end() ? name : found->second.path, static_cast<uint32_t>(line + 1),
            static_cast<uint32_t>(column + 1)};
}

std::vector<std::string> ProtoFiles::paths() const {
    std::vector<std::string> paths;
    for (const auto& [name, file] : files_) {
        paths.push_back(file.path);
    }
    return paths;
}

StandardFiles::StandardFiles() {
    // The linker takes a file from the archive only if something in it is used.
    const google::protobuf::Descriptor* const used[] = {
        google::protobuf::Any::descriptor(),       google::protobuf::BoolValue::descriptor(),
        google::protobuf::Duration::descriptor(),  google::protobuf::Empty::descriptor(),
        google::protobuf::FieldMask::descriptor(), google::protobuf::Struct::descriptor(),
        google::protobuf::Timestamp::descriptor(), google::protobuf::FileDescriptorProto::descriptor()};
    (void)used;
}

bool StandardFiles::FindFileByName(const std::string& name, google::protobuf::FileDescriptorProto* file) {
    const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    if (found == nullptr || !name.starts_with("google/protobuf/")) {
        return false;
    }
    found->CopyTo(file);
    return true;
}

}  // namespace hotlane::cli
