// SPDX-License-Identifier: MIT
//
// A YAML document as a tree that knows where each of its nodes begins.
#pragma once

#include "cli/pools/contract/problems.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace hotlane::cli {

struct YamlNode {
    enum class Kind : uint8_t { null, scalar, sequence, map };

    Kind kind = Kind::null;
    uint32_t line = 0;
    uint32_t column = 0;
    std::string text;                                                  // of a scalar
    std::vector<const YamlNode*> items;                                // of a sequence
    std::vector<std::pair<const YamlNode*, const YamlNode*>> entries;  // of a map, in their order
    uint64_t expanded = 1;  // nodes from here on, where an alias counts as all that it stands for
};

class YamlDocument {
  public:
    /// Most nodes, after aliases were replaced by what they stand for.
    static constexpr uint64_t kMostNodes = 200'000;

    /// Reads the only document of the text. Reports what is wrong; root() is then null.
    YamlDocument(std::string file, const std::string& text, Problems& problems);

    const YamlNode* root() const { return root_; }
    Place place(const YamlNode& node) const { return {file_, node.line, node.column}; }

  private:
    std::string file_;
    std::deque<YamlNode> nodes_;
    const YamlNode* root_ = nullptr;
};

}  // namespace hotlane::cli
