#include "gateway/web_page.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::gate {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(WebPage, HoldsTheFilesOfTheFolder) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HUBBUB_WEB_FOLDER)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    const net::HttpResponse response = ServeWebPage("/" + name);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.constant_body, content);
    EXPECT_NE(response.content_type, "application/octet-stream") << "browsers would not show it";
  }
  EXPECT_GT(files, 0);
}

TEST(WebPage, TheRootIsThePage) {
  const net::HttpResponse root = ServeWebPage("/");
  EXPECT_EQ(root.status, 200);
  EXPECT_EQ(root.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(root.constant_body, ServeWebPage("/index.html").constant_body);
  for (const char* target : {"/?room=lobby", "/#room", "/index.html?a=/b", ""})
    EXPECT_EQ(ServeWebPage(target).constant_body, root.constant_body) << target;
}

TEST(WebPage, ThePageOfTheServersIsAtServers) {
  const net::HttpResponse page = ServeWebPage("/servers?a=b");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(page.constant_body, ServeWebPage("/servers.html").constant_body);
  for (const char* target : {"/servers/", "/server", "/Servers"})
    EXPECT_EQ(ServeWebPage(target).status, 404) << target;
}

TEST(WebPage, JsonIsNotKept) {
  const net::HttpResponse json = ServeJson("{}");
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.content_type, "application/json");
  EXPECT_EQ(json.body, "{}");
  EXPECT_THAT(json.headers, Contains(Pair("Cache-Control", "no-store")));
  EXPECT_THAT(json.headers, Contains(Pair("X-Content-Type-Options", "nosniff")));
}

TEST(WebPage, GuardsThePage) {
  const auto headers = ServeWebPage("/").headers;
  EXPECT_THAT(headers, Contains(Pair("X-Content-Type-Options", "nosniff")));
  EXPECT_THAT(headers, Contains(Pair("Content-Security-Policy", HasSubstr("default-src 'self'"))));
  EXPECT_THAT(headers, Contains(Pair("Cache-Control", "no-cache")));
}

TEST(WebPage, EachFileHasAStrongTagOfItsContents) {
  const auto tag_of = [](const char* target) {
    for (const auto& [name, value] : ServeWebPage(target).headers) {
      if (name == "ETag") return value;
    }
    return std::string();
  };
  EXPECT_THAT(tag_of("/"), ::testing::MatchesRegex("\"[0-9a-f]+\""));
  EXPECT_EQ(tag_of("/"), tag_of("/index.html?a=b"));
  EXPECT_NE(tag_of("/"), tag_of("/servers"));
  EXPECT_THAT(ServeJson("{}").headers, ::testing::Not(Contains(Pair("ETag", ::testing::_))))
      << "JSON is never the same";
}

TEST(WebPage, ServesNothingElse) {
  for (const char* target : {"/nothing", "/../CMakeLists.txt", "//index.html", "/index.html/", "/INDEX.HTML",
                             "index", "/web/index.html", "/%69ndex.html"}) {
    const net::HttpResponse response = ServeWebPage(target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_THAT(response.body, HasSubstr("no such page")) << target;
  }
}

}  // namespace
}  // namespace hubbub::gate
