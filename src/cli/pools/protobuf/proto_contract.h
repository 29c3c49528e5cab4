// SPDX-License-Identifier: MIT
//
// Reads a contract from protobuf. A build without protobuf has functions that say so.
#pragma once

#include "cli/pools/contract/contract.h"

namespace hotlane::cli {

/// Reads a .proto file and what it imports. Imports are searched in `import_paths`, then in the directory of the
/// file. The messages are those of the file itself; `files` has the imported ones, too.
Contract read_proto_file(const std::string& file, const std::vector<std::string>& import_paths,
                         Problems& problems);

/// Reads a FileDescriptorSet, as `protoc --include_imports --descriptor_set_out` writes it.
Contract read_descriptor_set(const std::string& file, const std::string& bytes, Problems& problems);

}  // namespace hotlane::cli
