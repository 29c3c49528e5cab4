// SPDX-License-Identifier: MIT
//
// Tests that the page contains the profile unchanged, and that nothing in a profile becomes markup.
#include "cli/export/html.h"

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

}  // namespace
}  // namespace hotlane::cli
