#include "services/net/http_response.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(HttpResponse, WritesDatesAsRfc9110Does) {
  EXPECT_EQ(HttpDate(absl::FromUnixSeconds(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpResponse, HasAllThatAnAnswerNeeds) {
  const HttpResponse response{.status = 405, .body = "No.\n", .headers = {{"Allow", "GET"}}};
  const std::string bytes = WriteResponse(response, {}, absl::FromUnixSeconds(784111777));
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  for (const char* line :
       {"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "\r\nContent-Type: text/plain; charset=utf-8\r\n",
        "\r\nContent-Length: 4\r\n", "\r\nAllow: GET\r\n", "\r\nConnection: close\r\n\r\nNo.\n"}) {
    EXPECT_THAT(bytes, HasSubstr(line));
  }
  const std::string head = WriteResponse(response, {.with_body = false}, absl::FromUnixSeconds(784111777));
  EXPECT_EQ(head + "No.\n", bytes) << "HEAD is told all but the body";
}

TEST(HttpResponse, AConstantBodyFollowsWithoutACopy) {
  HttpResponse response{.headers = {{"ETag", "\"ab\""}}, .constant_body = "file"};
  EXPECT_THAT(WriteResponse(response, {}, absl::UnixEpoch()),
              AllOf(HasSubstr("\r\nContent-Length: 4\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_TRUE(HasConstantBody(response, {}));
  EXPECT_FALSE(HasConstantBody(response, {.with_body = false}));
  HttpRequest request;
  request.method = "GET";
  request.fields = {{"If-None-Match", "\"ab\""}};
  response = UnlessKnown(request, response);
  EXPECT_EQ(response.status, 304);
  EXPECT_FALSE(HasConstantBody(response, {}));
}

TEST(HttpResponse, EachStatusThatIsUsedHasAName) {
  for (const int status : {200, 304, 400, 404, 405, 408, 413, 414, 417, 426, 431, 500, 501, 503, 504, 505}) {
    EXPECT_THAT(WriteResponse({.status = status, .body = ""}, {}, absl::UnixEpoch()),
                ::testing::ContainsRegex("^HTTP/1.1 [0-9]+ [A-Z]"));
  }
}

TEST(HttpResponse, SaysWhetherTheConnectionStays) {
  const HttpResponse response{.body = "yes"};
  EXPECT_THAT(WriteResponse(response, {.keep_alive = true}, absl::UnixEpoch()),
              HasSubstr("\r\nConnection: keep-alive\r\n\r\nyes"));
}

TEST(HttpResponse, WhatTheClientKnowsIsNotSentAgain) {
  const HttpResponse page{.body = "page", .headers = {{"Cache-Control", "no-cache"}, {"ETag", "\"ab\""}}};
  const struct {
    const char* what;
    const char* method;
    std::vector<std::pair<std::string, std::string>> fields;
    int status;
  } cases[] = {
      {"no condition", "GET", {}, 200},
      {"the same", "GET", {{"If-None-Match", "\"ab\""}}, 304},
      {"the same to HEAD", "HEAD", {{"if-none-match", "\"ab\""}}, 304},
      {"another", "GET", {{"If-None-Match", "\"abc\""}}, 200},
      {"without quotes", "GET", {{"If-None-Match", "ab"}}, 200},
      {"one of a list", "GET", {{"If-None-Match", "\"x\", \"ab\""}}, 304},
      {"one of several lines", "GET", {{"If-None-Match", "\"x\""}, {"If-None-Match", "\"ab\""}}, 304},
      {"a weak form", "GET", {{"If-None-Match", "W/\"ab\""}}, 304},
      {"any", "GET", {{"If-None-Match", "*"}}, 304},
      {"another field", "GET", {{"If-Match", "\"ab\""}}, 200},
      {"POST", "POST", {{"If-None-Match", "\"ab\""}}, 200},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const HttpRequest request{.method = c.method, .target = "/", .fields = c.fields};
    EXPECT_EQ(UnlessKnown(request, page).status, c.status);
    EXPECT_EQ(UnlessKnown(request, {.body = "no tag"}).status, 200);
    EXPECT_EQ(UnlessKnown(request, {.status = 404, .body = "", .headers = page.headers}).status, 404);
  }
  const HttpRequest request{.method = "GET", .target = "/", .fields = {{"If-None-Match", "\"ab\""}}};
  const std::string bytes = WriteResponse(UnlessKnown(request, page), {}, absl::UnixEpoch());
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nCache-Control: no-cache\r\nETag: \"ab\"\r\n"));
  EXPECT_THAT(bytes, Not(HasSubstr("Content-")));
  EXPECT_TRUE(bytes.ends_with("\r\n\r\n"));
}

TEST(HttpResponse, PathsHaveNoQuery) {
  EXPECT_EQ(PathOf("/a?b"), "/a");
  EXPECT_EQ(PathOf("/a#b?c"), "/a");
  EXPECT_EQ(PathOf("/"), "/");
}

}  // namespace
}  // namespace hubbub::net
