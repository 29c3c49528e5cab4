// SPDX-License-Identifier: MIT
//
// Builds the tree from the events of yaml-cpp. An alias shares the node that it stands for; how much a document
// expands to is counted, because a short text with aliases of aliases can stand for billions of nodes.
#include "cli/pools/yaml/yaml_document.h"

#include <map>
#include <sstream>
#include <stdexcept>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace hotlane::cli {

namespace {

struct YamlError : std::runtime_error {
    YamlError(const YAML::Mark& at, const std::string& what) : std::runtime_error{what}, mark{at} {}

    YAML::Mark mark;
};

class TreeBuilder : public YAML::EventHandler {
  public:
    explicit TreeBuilder(std::deque<YamlNode>& nodes) : nodes_{nodes} {}

    const YamlNode* root() const { return root_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (has_document_) {
            throw YamlError{mark, "a second document begins here; a contract is one document"};
        }
        has_document_ = true;
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        complete(begin(YamlNode::Kind::null, mark, anchor));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  const std::string& value) override {
        YamlNode& node = begin(YamlNode::Kind::scalar, mark, anchor);
        node.text = value;
        complete(node);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const YamlNode* target = anchors_[anchor];
        for (const Open& open : open_) {
            if (open.node == target) {
                throw YamlError{mark, "this alias stands for a node that contains it"};
            }
        }
        if (target == nullptr) {
            throw YamlError{mark, "this alias has no anchor"};
        }
        mark_ = mark;
        complete(*target);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        open_.push_back({&begin(YamlNode::Kind::sequence, mark, anchor), nullptr});
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        open_.push_back({&begin(YamlNode::Kind::map, mark, anchor), nullptr});
    }
    void OnMapEnd() override { close(); }

  private:
    /// A sequence or map that has not ended, and the key whose value is next.
    struct Open {
        YamlNode* node;
        const YamlNode* key;
    };

    YamlNode& begin(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (nodes_.size() == YamlDocument::kMostNodes) {
            throw_too_large(mark);
        }
        YamlNode& node = nodes_.emplace_back();
        node.kind = kind;
        node.line = static_cast<uint32_t>(mark.line) + 1;
        node.column = static_cast<uint32_t>(mark.column) + 1;
        if (anchor != 0) {
            anchors_[anchor] = &node;
        }
        mark_ = mark;
        return node;
    }

    void close() {
        const YamlNode& node = *open_.back().node;
        open_.pop_back();
        complete(node);
    }

    /// Adds the node, which may be an alias of an earlier one, to the one that contains it.
    void complete(const YamlNode& node) {
        if (open_.empty()) {
            root_ = &node;
            return;
        }
        Open& parent = open_.back();
        parent.node->expanded += node.expanded;
        if (parent.node->expanded > YamlDocument::kMostNodes) {
            throw_too_large(mark_);
        }
        if (parent.node->kind == YamlNode::Kind::sequence) {
            parent.node->items.push_back(&node);
        } else if (parent.key == nullptr) {
            parent.key = &node;
        } else {
            parent.node->entries.emplace_back(parent.key, &node);
            parent.key = nullptr;
        }
    }

    [[noreturn]] static void throw_too_large(const YAML::Mark& mark) {
        throw YamlError{mark, "the document has more than " + std::to_string(YamlDocument::kMostNodes) +
                                  " nodes, aliases included"};
    }

    std::deque<YamlNode>& nodes_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, const YamlNode*> anchors_;
    const YamlNode* root_ = nullptr;
    YAML::Mark mark_;  // of the latest node
    bool has_document_ = false;
};

Place place_of(const std::string& file, const YAML::Mark& mark) {
    return {file, static_cast<uint32_t>(mark.line) + 1, static_cast<uint32_t>(mark.column) + 1};
}

}  // namespace

YamlDocument::YamlDocument(std::string file, const std::string& text, Problems& problems)
    : file_{std::move(file)} {
    TreeBuilder builder{nodes_};
    try {
        std::istringstream in{text};
        YAML::Parser parser{in};
        while (parser.HandleNextDocument(builder)) {
        }
        root_ = builder.root();
        if (root_ == nullptr) {
            problems.add({file_}, "the file is empty; expected a contract with messages");
        }
    } catch (const YamlError& error) {
        problems.add(place_of(file_, error.mark), error.what());
    } catch (const YAML::Exception& error) {
        problems.add(place_of(file_, error.mark), "not YAML: " + error.msg);
    }
}

}  // namespace hotlane::cli
