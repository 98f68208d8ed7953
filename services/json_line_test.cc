#include "services/json_line.h"

#include "gtest/gtest.h"

namespace hubbub {
namespace {

TEST(JsonLine, FindsWhereAValueStarts) {
  const std::string_view json = R"(
{
  "a": 1, "text": "} ] , \" { [",
  "list": [
    {"x": [1, {"y": []}], "z": "]"},
    null,
    {
      "deep":
        true
    }
  ],
  "twice": 1,
  "twice": 2
}
)";
  const struct {
    JsonPath path;
    size_t line;
  } cases[] = {
      {{}, 2},
      {{"a"}, 3},
      {{"text"}, 3},
      {{"list"}, 4},
      {{"list", size_t{0}}, 5},
      {{"list", size_t{0}, "z"}, 5},
      {{"list", size_t{1}}, 6},
      {{"list", size_t{2}}, 7},
      {{"list", size_t{2}, "deep"}, 9},
      {{"twice"}, 13},
      // Where it leads nowhere, as far as it leads.
      {{"nothing"}, 2},
      {{"list", size_t{3}}, 4},
      {{"list", "a"}, 4},
      {{"a", size_t{0}}, 3},
  };
  for (const auto& c : cases) EXPECT_EQ(JsonLine(json, c.path), c.line);
}

TEST(JsonLine, StaysWithinWhateverItIsGiven) {
  const std::string_view json = R"({"a": [{"b": "c\"d"}, 1], "e": {"f": null}})";
  for (size_t end = 0; end <= json.size(); ++end) {
    for (const JsonPath& path : {JsonPath{"a", size_t{0}, "b"}, JsonPath{"e", "f"}, JsonPath{size_t{7}}})
      EXPECT_EQ(JsonLine(json.substr(0, end), path), 1u) << end;
  }
}

}  // namespace
}  // namespace hubbub
