#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/pomelo/protobuf.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

TEST(Schema, CompilesAsTheStockParserDoes) {
  for (const json::value& vector : Vectors("schemas")) {
    const auto schema = Schema::Parse(vector.at("source").as_object());
    ASSERT_TRUE(schema.ok()) << schema.status();
    EXPECT_EQ(json::value(schema->ToJson()), vector.at("compiled")) << StringMember(vector, "name");
  }
}

TEST(Schema, KnowsItsRoutes) {
  const auto schema =
      Schema::Parse({{"onChat", {{"required string msg", 1}}}, {"onNothing", json::object()}});
  EXPECT_TRUE(schema->Has("onChat"));
  EXPECT_TRUE(schema->Has("onNothing"));
  EXPECT_FALSE(schema->Has("onAdd"));
}

TEST(Schema, RefusesWhatTheStockParserPassesOver) {
  const struct {
    const char *source, *why;
  } cases[] = {
      {R"({"a": 1})", "a: not an object"},
      {R"({"a": {"string t": 1}})", "a, \"string t\": a field is written"},
      {R"({"a": {"required  string t": 1}})", "single spaces"},
      {R"({"a": {"required string": 1}})", "a field is written"},
      {R"({"a": {"mandatory string t": 1}})", "a field is written"},
      {R"({"a": {"": 1}})", "a field is written"},
      {R"({"a": {"message": {}}})", "a message type is written"},
      {R"({"a": {"message B": 1}})", "a.B: not an object"},
      {R"({"a": {"required string t": 0}})", "the tag is not"},
      {R"({"a": {"required string t": 268435456}})", "the tag is not"},
      {R"({"a": {"required string t": "1"}})", "the tag is not"},
      {R"({"a": {"required string t": 1.5}})", "the tag is not"},
      {R"({"a": {"required string t": 1, "optional string u": 1}})", "tag 1 is taken"},
      {R"({"a": {"required string t": 1, "optional string t": 2}})", "the name is taken"},
      {R"({"a": {"required string __tags": 1}})", "belong to the compiled form"},
      {R"({"a": {"required text t": 1}})", "a, \"t\": type text is neither known"},
      {R"({"a": {"message B": {"required C c": 1}, "message C": {}}})", "a.B, \"c\": type C"},
      {R"({"a": {"repeated bool b": 1}})", "do not agree"},
      {R"({"a": {"repeated int64 b": 1}})", "do not agree"},
  };
  for (const auto& c : cases) {
    const auto schema = Schema::Parse(json::parse(c.source).as_object());
    EXPECT_EQ(schema.status().code(), absl::StatusCode::kInvalidArgument) << c.source;
    EXPECT_THAT(std::string(schema.status().message()), HasSubstr(c.why)) << c.source;
  }
}

TEST(Schema, BoundsTheNestingOfTypes) {
  json::object source;
  for (int i = 0; i < 40; ++i) source = json::object{{"message A", source}};
  EXPECT_EQ(Schema::Parse({{"a", source}}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hubbub::pomelo
