#include "services/net/http_body.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using ::testing::HasSubstr;

constexpr size_t kMax = 100;

// What becomes of bytes that come in steps: the body and what is left behind it, or the status of the fault,
// or "more".
std::string Read(const BodyFraming& framing, std::string_view bytes, size_t step) {
  HttpBody body(framing, kMax);
  std::string waiting;
  while (!body.whole() && !body.fault() && !bytes.empty()) {
    const size_t size = std::min(step, bytes.size());
    waiting += bytes.substr(0, size);
    bytes.remove_prefix(size);
    waiting.erase(0, body.Put(waiting));
  }
  if (body.fault()) return std::to_string(body.fault()->status);
  if (!body.whole()) return "more";
  return body.Take() + "|" + waiting.append(bytes);
}

TEST(HttpBody, FindsTheEndHoweverTheBytesCome) {
  const BodyFraming chunked{.chunked = true};
  const struct {
    const char* what;
    BodyFraming framing;
    std::string bytes;
    const char* result;
  } cases[] = {
      {"no body", {}, "GET", "|GET"},
      {"a length", {.length = 3}, "abcdef", "abc|def"},
      {"a length that does not come", {.length = 3}, "ab", "more"},
      {"one chunk", chunked, "3\r\nabc\r\n0\r\n\r\nGET", "abc|GET"},
      {"several chunks", chunked, "1\r\na\r\n2\r\nbc\r\n0\r\n\r\nGET", "abc|GET"},
      {"hexadecimal sizes", chunked, "00A\r\n0123456789\r\n0b\r\n0123456789a\r\n0\r\n\r\n",
       "01234567890123456789a|"},
      {"no chunk", chunked, "0\r\n\r\nGET", "|GET"},
      {"extensions", chunked, "1;a;b=c;d=\"e;\\\"f\"\r\nx\r\n0;last\r\n\r\nGET", "x|GET"},
      {"trailer fields", chunked, "1\r\nx\r\n0\r\nA: b\r\nX-C: d\r\n\r\nGET", "x|GET"},
      {"not whole yet", chunked, "3\r\nabc\r\n0\r\n", "more"},
      {"as much as may be", chunked, "64\r\n" + std::string(100, 'x') + "\r\n0\r\n\r\n",
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       "|"},
      {"too much at once", chunked, "65\r\nx", "413"},
      {"too much in the end", chunked, "64\r\n" + std::string(100, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n", "413"},
      {"a size beyond all numbers", chunked, "fffffffffffffffff\r\n", "400"},
      {"no size", chunked, "\r\nabc", "400"},
      {"a size that is no number", chunked, "x\r\nabc", "400"},
      {"a negative size", chunked, "-1\r\nabc", "400"},
      {"a size in C's way", chunked, "0x1\r\na\r\n0\r\n\r\n", "400"},
      {"a space before the size", chunked, " 1\r\na\r\n0\r\n\r\n", "400"},
      {"a chunk that is longer than its size", chunked, "1\r\nab\r\n0\r\n\r\n", "400"},
      {"a line feed alone", chunked, "1\na\n0\n\n\r\n\r\n", "400"},
      {"a line feed in an extension", chunked, "1;a\nb\r\nx\r\n0\r\n\r\n", "400"},
      {"CR alone", chunked, "1\rXx\r\n0\r\n\r\n", "400"},
      {"an extension that is none", chunked, "1 a\r\nx\r\n0\r\n\r\n", "400"},
      {"a trailer that is no field", chunked, "0\r\nA b\r\n\r\n", "400"},
      {"a length in the trailer", chunked, "0\r\nContent-Length: 5\r\n\r\n", "400"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    for (size_t step = 1; step <= c.bytes.size(); ++step)
      ASSERT_EQ(Read(c.framing, c.bytes, step), c.result) << "in steps of " << step;
  }
}

TEST(HttpBody, DoesNotWaitForTheEndOfALineForEver) {
  for (const char* begin : {"1;", "0\r\nA: "}) {
    HttpBody body({.chunked = true}, kMax);
    std::string waiting = begin;
    for (size_t i = 0; i < 2 * HttpBody::kMaxChunkLineBytes && !body.fault(); ++i) {
      waiting += 'x';
      waiting.erase(0, body.Put(waiting));
    }
    ASSERT_TRUE(body.fault()) << begin;
    EXPECT_EQ(body.fault()->status, 400);
    EXPECT_THAT(body.fault()->sentence, HasSubstr("too long"));
    EXPECT_EQ(body.Put("more"), 0u);
  }
}

TEST(HttpBody, SaysHowMuchMayBe) {
  HttpBody body({.chunked = true}, kMax);
  body.Put("65\r\nx");
  ASSERT_TRUE(body.fault());
  EXPECT_THAT(body.fault()->sentence, HasSubstr("100 bytes"));
}

}  // namespace
}  // namespace hubbub::net
