// SPDX-License-Identifier: MIT
//
// Stands for the reader of protobuf in a build without it.
#include "cli/pools/protobuf/proto_contract.h"

namespace hotlane::cli {

namespace {

Contract refuse(const std::string& file, Problems& problems) {
    problems.add({file}, "this hotlane was built without protobuf (-Dprotobuf=disabled); it reads only YAML");
    return {};
}

}  // namespace

Contract read_proto_file(const std::string& file, const std::vector<std::string>& /*import_paths*/,
                         Problems& problems) {
    return refuse(file, problems);
}

Contract read_descriptor_set(const std::string& file, const std::string& /*bytes*/, Problems& problems) {
    return refuse(file, problems);
}

}  // namespace hotlane::cli
