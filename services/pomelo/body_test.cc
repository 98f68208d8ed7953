#include "services/pomelo/body.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace hubbub::pomelo {
namespace {

TEST(JsonBody, IsReadFromUtf8AndCesu8Alike) {
  const boost::json::object expected = {{"msg", "\xf0\x9f\x98\x82"}};
  for (const std::string_view body : {R"({"msg":"\ud83d\ude02"})", "{\"msg\":\"\xf0\x9f\x98\x82\"}",
                                      "{\"msg\":\"\xed\xa0\xbd\xed\xb8\x82\"}"}) {
    const auto parsed = ParseJsonBody(body);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, expected);
  }
}

TEST(JsonBody, RefusesAllButAnObject) {
  for (const std::string_view body :
       {"", " ", "{", "null", "[]", "1", "\"a\"", "{} {}", "{\"a\":1,}", "{\"a\":\"\xff\"}", "\xef\xbb\xbf",
        "\xef\xbb\xbf\xef\xbb\xbf{}", "{\"a\":\"\\ud83\"}", "{\"a\":NaN}", "{\"a\":Infinity}",
        "{\"a\":1e309}", "{\"a\":[1,{\"b\":-1e3022}]}", "{\"a\":1e2147483648}"}) {
    EXPECT_EQ(ParseJsonBody(body).status().code(), absl::StatusCode::kInvalidArgument) << body;
  }
}

TEST(JsonBody, HasAReplacementWhereHalfOfAnEmojiIsMissing) {
  const std::string other = "\xef\xbf\xbd";
  const std::string joy = "\xf0\x9f\x98\x82";
  const struct {
    std::string body;
    boost::json::object expected;
  } cases[] = {
      {R"({"a":"\ud83d"})", {{"a", other}}},
      {R"({"a":"\uD83D"})", {{"a", other}}},
      {R"({"a":"hello \ude02!"})", {{"a", "hello " + other + "!"}}},
      {R"({"a":"\ude02\ud83d"})", {{"a", other + other}}},
      {R"({"a":"\ud83d\ud83d\ude02"})", {{"a", other + joy}}},
      {R"({"a":"\ud83d\\ude02"})", {{"a", other + "\\ude02"}}},
      {R"({"a":"\\ud83d"})", {{"a", "\\ud83d"}}},
      {R"({"\ud83d":["\ude02"]})", {{other, {other}}}},
      {"{\"a\":\"\xed\xa0\xbd\"}", {{"a", other}}},
      {"{\"a\":\"\xed\xb8\x82\xed\xa0\xbd\\ud83d\"}", {{"a", other + other + other}}},
  };
  for (const auto& c : cases) {
    const auto parsed = ParseJsonBody(c.body);
    ASSERT_TRUE(parsed.ok()) << c.body << parsed.status();
    EXPECT_EQ(*parsed, c.expected) << c.body;
  }
}

TEST(JsonBody, MayHaveWhiteSpaceAndAMarkBeforeIt) {
  for (const std::string_view body : {"{\"a\":1}", " {\"a\":1} ", "\r\n\t{\"a\":1}\r\n",
                                      "\xef\xbb\xbf{\"a\":1}", "\xef\xbb\xbf\n {\"a\":1}"}) {
    EXPECT_TRUE(BeginsLikeObject(body)) << body;
    const auto parsed = ParseJsonBody(body);
    ASSERT_TRUE(parsed.ok()) << body << parsed.status();
    EXPECT_EQ(*parsed, boost::json::object({{"a", 1}}));
  }
  for (const std::string_view body : {"", " ", "[{}]", "\"{", "\n\x01{", "\xef\xbb{}", "1"})
    EXPECT_FALSE(BeginsLikeObject(body)) << body;
}

TEST(JsonBody, ReadsNumbersExactly) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const double number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    char text[64];
    snprintf(text, sizeof text, "%.17g", number);
    const auto parsed = ParseJsonBody(std::string("{\"a\":") + text + "}");
    ASSERT_TRUE(parsed.ok()) << text << parsed.status();
    EXPECT_EQ(parsed->at("a").to_number<double>(), number) << text;
  }
  EXPECT_EQ(ParseJsonBody("{\"a\":18446744073709551615}")->at("a"), 18446744073709551615ull);
  EXPECT_EQ(ParseJsonBody("{\"a\":1e-999}")->at("a"), 0.0);
}

TEST(JsonBody, BoundsTheDepth) {
  const auto nested = [](size_t depth) {
    std::string body;
    for (size_t i = 1; i < depth; ++i) body += "{\"a\":";
    body += "{}";
    return body.append(depth - 1, '}');
  };
  EXPECT_TRUE(ParseJsonBody(nested(32)).ok());
  EXPECT_FALSE(ParseJsonBody(nested(33)).ok());
  EXPECT_FALSE(ParseJsonBody(std::string(1 << 20, '[')).ok());
}

TEST(JsonBody, BoundsTheValues) {
  const auto with = [](size_t values, const std::string& value) {
    std::string body = "{\"a\":[" + value;
    for (size_t i = 1; i < values; ++i) body += "," + value;
    return body + "]}";
  };
  for (const std::string value : {"1", "1.5", "18446744073709551615", "\"\"", "null", "true", "{}", "[]"}) {
    EXPECT_TRUE(ParseJsonBody(with(4094, value)).ok()) << value;
    EXPECT_EQ(ParseJsonBody(with(4095, value)).status().message(), "a body has more than 4096 values")
        << value;
  }
}

TEST(JsonBody, IsWrittenWithEscapesOutsideTheBmp) {
  EXPECT_EQ(JsonBody({{"msg", "\xf0\x9f\x98\x82\xc3\xbc"}}), "{\"msg\":\"\\ud83d\\ude02\xc3\xbc\"}");
}

}  // namespace
}  // namespace hubbub::pomelo
