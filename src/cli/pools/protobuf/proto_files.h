// SPDX-License-Identifier: MIT
//
// The .proto files that a contract consists of, and places in them.
#pragma once

#include "cli/pools/contract/problems.h"

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor_database.h>

#include <map>
#include <string>
#include <vector>

namespace hotlane::cli {

/// Finds files by the names that imports use, in directories that are searched in order. Remembers what it read.
class ProtoFiles : public google::protobuf::compiler::SourceTree {
  public:
    ProtoFiles(std::vector<std::string> directories, Problems& problems)
        : directories_{std::move(directories)}, problems_{problems} {}

    /// Returns the content of the file, which belongs to the caller, or null.
    google::protobuf::io::ZeroCopyInputStream* Open(const std::string& name) override;
    std::string GetLastErrorMessage() override { return "not found; -I adds directories"; }

    /// Returns the place in the file as it was opened. Lines and columns count from 0, as in protobuf.
    Place place(const std::string& name, int line, int column) const;
    /// Returns the paths of all files that were read, sorted.
    std::vector<std::string> paths() const;

  private:
    struct File {
        std::string path;
        std::string text;
    };

    std::vector<std::string> directories_;
    Problems& problems_;
    std::map<std::string, File> files_;  // by name
};

/// The files that come with protobuf, such as google/protobuf/timestamp.proto.
class StandardFiles : public google::protobuf::DescriptorDatabase {
  public:
    StandardFiles();
    bool FindFileByName(const std::string& name, google::protobuf::FileDescriptorProto* file) override;
    bool FindFileContainingSymbol(const std::string& /*name*/,
                                  google::protobuf::FileDescriptorProto* /*file*/) override {
        return false;
    }
    bool FindFileContainingExtension(const std::string& /*type*/, int /*number*/,
                                     google::protobuf::FileDescriptorProto* /*file*/) override {
        return false;
    }
};

}  // namespace hotlane::cli
