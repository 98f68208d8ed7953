#include "services/net/http_response.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(HttpResponse, WritesDatesAsRfc9110Does) {
  EXPECT_EQ(HttpDate(absl::FromUnixSeconds(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpResponse, HasAllThatAnAnswerNeeds) {
  const HttpResponse response{.status = 405, .body = "No.\n", .headers = {{"Allow", "GET"}}};
  const std::string bytes = WriteResponse(response, /*with_body=*/true, absl::FromUnixSeconds(784111777));
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  for (const char* line :
       {"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "\r\nContent-Type: text/plain; charset=utf-8\r\n",
        "\r\nContent-Length: 4\r\n", "\r\nAllow: GET\r\n", "\r\nConnection: close\r\n\r\nNo.\n"}) {
    EXPECT_THAT(bytes, HasSubstr(line));
  }
  const std::string head = WriteResponse(response, /*with_body=*/false, absl::FromUnixSeconds(784111777));
  EXPECT_EQ(head + "No.\n", bytes) << "HEAD is told all but the body";
}

TEST(HttpResponse, EachStatusThatIsUsedHasAName) {
  for (const int status : {200, 400, 404, 405, 408, 413, 414, 417, 426, 431, 501, 503, 505}) {
    EXPECT_THAT(WriteResponse({.status = status, .body = ""}, true, absl::UnixEpoch()),
                ::testing::ContainsRegex("^HTTP/1.1 [0-9]+ [A-Z]"));
  }
}

TEST(HttpResponse, PathsHaveNoQuery) {
  EXPECT_EQ(PathOf("/a?b"), "/a");
  EXPECT_EQ(PathOf("/a#b?c"), "/a");
  EXPECT_EQ(PathOf("/"), "/");
}

}  // namespace
}  // namespace hubbub::net
