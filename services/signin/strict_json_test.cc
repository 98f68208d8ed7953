#include "services/signin/strict_json.h"

#include <string>

#include "gtest/gtest.h"

namespace hubbub::signin {
namespace {

TEST(StrictJson, ReadsAnObject) {
  const auto object = ParseStrictObject(R"( {"a": {"b": 1}, "c": [{"b": 2}, {"b": 3}]} )");
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->at("a").at("b"), 1);
}

TEST(StrictJson, RefusesWhatIsNone) {
  for (const char* text : {"", "[]", "1", "null", "{", "{}{}", "{'a':1}", "{\"a\":1,}", "{\"a\":\"\xff\"}"}) {
    EXPECT_FALSE(ParseStrictObject(text).ok()) << text;
  }
}

TEST(StrictJson, RefusesTwoMembersOfOneName) {
  for (const char* text :
       {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"({"b":{"a":1,"a":2}})", R"({"b":[{"a":1,"a":2}]})"}) {
    const auto object = ParseStrictObject(text);
    ASSERT_FALSE(object.ok()) << text;
    EXPECT_NE(object.status().message().find("two members of one name"), absl::string_view::npos) << text;
  }
}

TEST(StrictJson, RefusesDeepNesting) {
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(ParseStrictObject(nested(15)).ok());
  EXPECT_FALSE(ParseStrictObject(nested(16)).ok());
  EXPECT_FALSE(ParseStrictObject(nested(100'000)).ok());
}

}  // namespace
}  // namespace hubbub::signin
