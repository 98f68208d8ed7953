#include "services/pomelo/body.h"

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
       {"", " ", "{", "null", "[]", "1", "\"a\"", "{} {}", "{\"a\":1,}", "{\"a\":\"\xff\"}",
        "{\"a\":\"\xed\xa0\xbd\"}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":1e309}",
        "{\"a\":[1,{\"b\":-1e3022}]}", "{\"a\":1e2147483648}"}) {
    EXPECT_EQ(ParseJsonBody(body).status().code(), absl::StatusCode::kInvalidArgument) << body;
  }
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

TEST(JsonBody, IsWrittenWithEscapesOutsideTheBmp) {
  EXPECT_EQ(JsonBody({{"msg", "\xf0\x9f\x98\x82\xc3\xbc"}}), "{\"msg\":\"\\ud83d\\ude02\xc3\xbc\"}");
}

}  // namespace
}  // namespace hubbub::pomelo
