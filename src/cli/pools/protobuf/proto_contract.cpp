// SPDX-License-Identifier: MIT
//
// Builds descriptors from files, with the parser that protoc uses.
#include "cli/pools/protobuf/proto_contract.h"

#include "cli/pools/protobuf/descriptors.h"
#include "cli/pools/protobuf/proto_files.h"

#include <filesystem>
#include <google/protobuf/descriptor.pb.h>

namespace hotlane::cli {

namespace {

namespace pb = google::protobuf;

/// Reports what protobuf's parser finds. Without `override`, because later versions have other names for this.
class ParserErrors : public pb::compiler::MultiFileErrorCollector {
  public:
    ParserErrors(const ProtoFiles& files, Problems& problems) : files_{files}, problems_{problems} {}

    void AddError(const std::string& file, int line, int column, const std::string& what) {
        problems_.add(files_.place(file, line, column), what);
    }

  private:
    const ProtoFiles& files_;
    Problems& problems_;
};

/// Splits the path into a directory and the name by which imports know the file.
std::pair<std::string, std::string> directory_and_name(const std::string& file,
                                                       const std::vector<std::string>& import_paths) {
    const std::filesystem::path path = std::filesystem::path{file}.lexically_normal();
    for (const std::string& directory : import_paths) {
        const auto relative = path.lexically_relative(std::filesystem::path{directory}.lexically_normal());
        if (!relative.empty() && *relative.begin() != "..") {
            return {directory, relative.string()};
        }
    }
    const std::string parent = std::filesystem::path{file}.parent_path().string();
    return {parent.empty() ? "." : parent, path.filename().string()};
}

/// The files of a FileDescriptorSet by name, and those that come with protobuf.
class SetFiles : public StandardFiles {
  public:
    explicit SetFiles(const pb::FileDescriptorSet& set) {
        for (const pb::FileDescriptorProto& file : set.file()) {
            files_.emplace(file.name(), &file);
        }
    }

    bool FindFileByName(const std::string& name, pb::FileDescriptorProto* file) override {
        const auto found = files_.find(name);
        if (found == files_.end()) {
            return StandardFiles::FindFileByName(name, file);
        }
        *file = *found->second;
        return true;
    }

  private:
    std::map<std::string, const pb::FileDescriptorProto*> files_;
};

class SetErrors : public pb::DescriptorPool::ErrorCollector {
  public:
    SetErrors(const std::string& file, Problems& problems) : file_{file}, problems_{problems} {}

    void AddError(const std::string& file, const std::string& element, const pb::Message* /*descriptor*/,
                  ErrorLocation /*location*/, const std::string& what) {
        problems_.add({file_}, file + ": " + element + ": " + what);
    }

  private:
    const std::string& file_;
    Problems& problems_;
};

}  // namespace

Contract read_proto_file(const std::string& file, const std::vector<std::string>& import_paths,
                         Problems& problems) {
    Contract contract;
    contract.encoding = Encoding::protobuf;
    const auto [directory, name] = directory_and_name(file, import_paths);
    std::vector<std::string> directories = import_paths;
    directories.push_back(directory);
    ProtoFiles files{directories, problems};
    ParserErrors errors{files, problems};
    StandardFiles standard;
    pb::compiler::SourceTreeDescriptorDatabase database{&files, &standard};
    database.RecordErrorsTo(&errors);
    pb::DescriptorPool pool{&database, database.GetValidationErrorCollector()};
    const pb::FileDescriptor* found = pool.FindFileByName(name);
    contract.files = files.paths();
    if (found == nullptr) {
        if (problems.empty()) {
            problems.add({file}, "the file cannot be read");
        }
        return contract;
    }
    DescriptorReader{contract, [&files](const std::string& of, int line,
                                        int column) { return files.place(of, line, column); }}
        .add(*found);
    return contract;
}

Contract read_descriptor_set(const std::string& file, const std::string& bytes, Problems& problems) {
    Contract contract;
    contract.encoding = Encoding::protobuf;
    pb::FileDescriptorSet set;
    if (!set.ParseFromString(bytes)) {
        problems.add({file}, "not a FileDescriptorSet, which protoc writes with --descriptor_set_out");
        return contract;
    }
    SetFiles database{set};
    SetErrors errors{file, problems};
    pb::DescriptorPool pool{&database, &errors};
    // Only a set with source information has lines, and then of files that may not be here.
    const auto place = [&file](const std::string& source, int line, int column) -> Place {
        return line < 0 ? Place{file}
                        : Place{source, static_cast<uint32_t>(line + 1), static_cast<uint32_t>(column + 1)};
    };
    DescriptorReader reader{contract, place};
    for (const pb::FileDescriptorProto& one : set.file()) {
        if (const pb::FileDescriptor* found = pool.FindFileByName(one.name()); found != nullptr) {
            reader.add(*found);
        }
    }
    if (set.file().empty()) {
        problems.add({file}, "the FileDescriptorSet has no files");
    }
    return contract;
}

}  // namespace hotlane::cli
