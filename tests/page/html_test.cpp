// SPDX-License-Identifier: MIT
//
// Tests that the page contains the profile unchanged, and that nothing in a profile becomes markup.
#include "cli/export/html.h"
#include "cli/export/page_data.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hotlane::cli {
namespace {

constexpr std::string_view kOpen = R"(<script type="application/json" id="profile">)";

/// Returns the text in the page between the opening tag of the profile's element and the next tag.
std::string embedded(const std::string& page) {
    const size_t start = page.find(kOpen) + kOpen.size();
    return page.substr(start, page.find('<', start) - start);
}

TEST(ProfileHtmlTest, TheProfileComesOutAsItWentIn) {
    const nlohmann::json profile = {{"program", "</script><!-- \\u003c & \" \x01"},
                                    {"functions", {"a<b>", "operator<<"}}};
    EXPECT_EQ(nlohmann::json::parse(embedded(render_html(profile))), profile);
}

TEST(ProfileHtmlTest, NothingOfItIsMarkup) {
    const size_t tags_of_empty = embedded(render_html({})).size();
    EXPECT_EQ(tags_of_empty, std::string{"null"}.size());
    const std::string page = render_html({{"name", "</script><script>alert(1)</script>"}});
    EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
    EXPECT_EQ(page.substr(page.find(kOpen) + kOpen.size() + embedded(page).size(), 9), "</script>");
}

TEST(ProfileHtmlTest, BytesThatAreNoTextAreReplaced) {
    const auto found = nlohmann::json::parse(embedded(render_html({{"name", "a\xff\xfe z"}})));
    EXPECT_EQ(found["name"], "a\xef\xbf\xbd\xef\xbf\xbd z");
}

TEST(ProfileHtmlTest, NamesNoOtherFile) {
    const std::string page = render_html({});
    for (const char* reference : {" src=", "href=\"profile", "@import", "url("}) {
        EXPECT_EQ(page.find(reference), std::string::npos) << reference;
    }
    EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

nlohmann::json stack_of(std::vector<int> frames, int64_t live) {
    return {{"frames", std::move(frames)},
            {"site", 0},
            {"live", {{"objects", 1}, {"bytes", live}, {"requested", live}}},
            {"lifetimes", {{20, live}}}};
}

TEST(PageDataTest, StacksAreColumnsInTheOrderOfTheirCallers) {
    nlohmann::json profile{{"functions", {"a", "b"}},
                           {"frames", {{{"function", 1}}, {{"function", 0}}, {{"function", 7}}}},
                           {"stacks", {stack_of({2, 1}, 30), stack_of({1, 0}, 20), stack_of({1}, 10)}},
                           {"moments", {{{"changes", {{0, 5}, {2, 6}}}}}}};
    nlohmann::json before = stack_of({}, 7);
    before["stack"] = 1;
    profile["base"]["stacks"] = {before};
    const nlohmann::json data = page_data(profile);
    const nlohmann::json& stacks = data.at("stacks");
    EXPECT_EQ(stacks.at("depths"), (nlohmann::json{1, 2, 2}));
    EXPECT_EQ(stacks.at("frames"), (nlohmann::json{1, 1, 2, 0, 1}));
    EXPECT_EQ(stacks.at("sites"), (nlohmann::json{1, 2, 1}));
    EXPECT_EQ(stacks.at("columns").at("live.bytes"), (nlohmann::json{10, 30, 20}));
    EXPECT_EQ(stacks.at("columns").size(), 3);  // columns of zeros are left out
    EXPECT_EQ(stacks.at("lifetimes").at("stacks"), (nlohmann::json{1, 2, 0}));
    EXPECT_EQ(data.at("moments")[0].at("changes"), (nlohmann::json{{1, 5}, {0, 6}}));
    EXPECT_EQ(data.at("base").at("stacks").at("columns").at("live.bytes"), (nlohmann::json{0, 0, 7}));
}

}  // namespace
}  // namespace hotlane::cli
