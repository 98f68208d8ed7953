#include "services/net/http_head.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// "name=value" of each field.
std::vector<std::string> Fields(const HttpHead& head) {
  std::vector<std::string> lines;
  for (const HttpField& field : head.fields) {
    lines.push_back(std::string(field.name).append("=").append(field.value));
  }
  return lines;
}

TEST(HttpHead, ReadsLineAndFields) {
  const auto parsed = ParseHead("GET /a?b=c HTTP/1.0\r\nHost: h\r\nX-A:\t 1 , 2 \t\r\nempty:\r\n\r\n");
  const auto* head = std::get_if<HttpHead>(&parsed);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->method, "GET");
  EXPECT_EQ(head->target, "/a?b=c");
  EXPECT_EQ(head->minor_version, 0);
  EXPECT_THAT(Fields(*head), ElementsAre("Host=h", "X-A=1 , 2", "empty="));
}

TEST(HttpHead, PassesOverEmptyLinesBefore) {
  const auto parsed = ParseHead("\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  const auto* head = std::get_if<HttpHead>(&parsed);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->method, "GET");
}

// RFC 9110 (2.5): a higher minor version is read as the highest that is known.
TEST(HttpHead, TakesAHigherMinorVersion) {
  const auto parsed = ParseHead("GET / HTTP/1.7\r\n\r\n");
  const auto* head = std::get_if<HttpHead>(&parsed);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->minor_version, 7);
}

TEST(HttpHead, SaysWhatIsWrong) {
  const struct {
    const char* what;
    std::string head;
    int status;
    const char* words;
  } cases[] = {
      {"no spaces", "GARBAGE\r\n\r\n", 400, "a method, a target and a version"},
      {"no version", "GET /\r\n\r\n", 400, "a method, a target and a version"},
      {"two spaces", "GET  / HTTP/1.1\r\n\r\n", 400, "version"},
      {"a space too much", "GET /a b HTTP/1.1\r\n\r\n", 400, "version"},
      {"a space at the end", "GET / HTTP/1.1 \r\n\r\n", 400, "version"},
      {"an empty method", " / HTTP/1.1\r\n\r\n", 400, "method"},
      {"a method that is no token", "G(T / HTTP/1.1\r\n\r\n", 400, "method"},
      {"an empty target", "GET  HTTP/1.1\r\n\r\n", 400, "target"},
      {"a target that is not ASCII", "GET /\xe8\x81\x8a HTTP/1.1\r\n\r\n", 400, "%XX"},
      {"a control character in the target", "GET /\x01 HTTP/1.1\r\n\r\n", 400, "%XX"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n\r\n", 505, "HTTP/1.1 and HTTP/1.0"},
      {"HTTP/2 of those who know that the server speaks it", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505,
       "HTTP/1.1"},
      {"HTTP/2 without a minor version", "GET / HTTP/2\r\n\r\n", 505, "HTTP/1.1"},
      {"HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", 505, "HTTP/1.1"},
      {"HTTP/1", "GET / HTTP/1\r\n\r\n", 400, "version"},
      {"HTTP/1.10", "GET / HTTP/1.10\r\n\r\n", 400, "version"},
      {"HTTP/1.x", "GET / HTTP/1.x\r\n\r\n", 400, "version"},
      {"HTTP/11", "GET / HTTP/11.1\r\n\r\n", 505, "HTTP/1.1"},
      {"the name in lower case", "GET / http/1.1\r\n\r\n", 400, "version"},
      {"another protocol", "GET / RTSP/1.0\r\n\r\n", 400, "version"},
      {"no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "colon"},
      {"no name", "GET / HTTP/1.1\r\n: h\r\n\r\n", 400, "name"},
      {"a space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400, "before the colon"},
      {"a space in a name", "GET / HTTP/1.1\r\nHo st: h\r\n\r\n", 400, "name"},
      {"a folded line", "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", 400, "folded"},
      {"a folded line with a tab", "GET / HTTP/1.1\r\nX: a\r\n\tb: c\r\n\r\n", 400, "folded"},
      {"white space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "white space"},
      {"NUL in a value", std::string("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 27), 400, "control characters"},
      {"CR in a value", "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", 400, "control characters"},
      {"DEL in a value", "GET / HTTP/1.1\r\nX: a\x7f\r\n\r\n", 400, "control characters"},
      {"line feeds alone", "GET / HTTP/1.1\nHost: h\n\n", 400, "CRLF"},
      {"one line feed alone", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400, "CRLF"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto parsed = ParseHead(c.head);
    const auto* fault = std::get_if<HttpFault>(&parsed);
    ASSERT_NE(fault, nullptr);
    EXPECT_EQ(fault->status, c.status);
    EXPECT_THAT(fault->sentence, HasSubstr(c.words));
  }
}

TEST(HttpHead, BoundsTheFields) {
  std::string fields;
  for (size_t i = 0; i < kMaxFields; ++i) fields += "a:b\r\n";
  const auto most = ParseHead("GET / HTTP/1.1\r\n" + fields + "\r\n");
  EXPECT_TRUE(std::holds_alternative<HttpHead>(most));
  const auto more = ParseHead("GET / HTTP/1.1\r\n" + fields + "a:b\r\n\r\n");
  ASSERT_TRUE(std::holds_alternative<HttpFault>(more));
  EXPECT_EQ(std::get<HttpFault>(more).status, 431);
}

TEST(HeadScanner, FindsTheEndHoweverTheBytesCome) {
  for (const std::string& head :
       {std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), std::string("\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\nHost: h\n\n"), std::string("GARBAGE\r\n\r\n")}) {
    const std::string bytes = head + "behind\r\n\r\n";
    for (size_t step = 1; step <= bytes.size(); ++step) {
      HeadScanner scanner;
      HeadScanner::Result found;
      size_t have = 0;
      while (found.size == 0 && have < bytes.size()) {
        have = std::min(bytes.size(), have + step);
        found = scanner.Scan(std::string_view(bytes).substr(0, have));
        ASSERT_FALSE(found.fault);
        ASSERT_TRUE(found.size > 0 || have < head.size());
      }
      EXPECT_EQ(found.size, head.size()) << head << " in steps of " << step;
    }
  }
}

TEST(HeadScanner, BoundsWhatItWaitsFor) {
  const auto status = [](const std::string& bytes) {
    const auto found = HeadScanner().Scan(bytes);
    return found.fault ? found.fault->status : found.size > 0 ? 200 : 0;
  };
  const std::string get = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(status("GET /" + std::string(8'000, 'x') + " HTTP/1.1\r\n\r\n"), 200) << "RFC 9112, 3";
  EXPECT_EQ(status(std::string(kMaxRequestLineBytes, 'A')), 0);
  EXPECT_EQ(status(std::string(kMaxRequestLineBytes + 1, 'A')), 414) << "at once, without an end of the line";
  EXPECT_EQ(status("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n"), 414);
  EXPECT_EQ(status(get + "X: " + std::string(20'000, 'x') + "\r\n\r\n"), 200);
  EXPECT_EQ(status(get + "X: " + std::string(kMaxHeadBytes, 'x')), 431) << "at once";
  EXPECT_EQ(status(get + "X: " + std::string(kMaxHeadBytes, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(status("\r\n\r\n\r\n\r\n" + get + "\r\n"), 200);
  EXPECT_EQ(status("\r\n\r\n\r\n\r\n\r\n"), 400) << "nobody sends nothing for ever";
  EXPECT_EQ(status("\r\n"), 0);
  EXPECT_EQ(status(""), 0);
}

}  // namespace
}  // namespace hubbub::net
