#include "services/directory/entry_lines.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::directory {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

TEST(EntryLines, AreThoseOfTheEnvironmentThatIsAskedFor) {
  const std::string_view json = R"(
{
  "other": {"chat": [1,
                     2]},
  "mine": {
    "chat": [
      {"id": "} ] , \" { [", "more": [{"chat": [
        1]}]}, "text",
      null,

      -1.5e3
    ],
    "connect\u006fr": [], "gate":
      [
        [true],
        18446744073709551615], "worker":
      7
  }
}
)";
  const EntryLines mine = FindEntryLines(json, "mine");
  EXPECT_THAT(mine, UnorderedElementsAre(Key("chat"), Key("connector"), Key("gate"), Key("worker")));
  EXPECT_EQ(mine.at("chat").list, 6u);
  EXPECT_THAT(mine.at("chat").servers, ElementsAre(7, 8, 9, 11));
  EXPECT_EQ(mine.at("connector").list, 13u);
  EXPECT_THAT(mine.at("connector").servers, IsEmpty());
  EXPECT_EQ(mine.at("gate").list, 14u);
  EXPECT_THAT(mine.at("gate").servers, ElementsAre(15, 16));
  EXPECT_EQ(mine.at("worker").list, 17u);
  EXPECT_THAT(FindEntryLines(json, "other").at("chat").servers, ElementsAre(3, 4));
  EXPECT_THAT(FindEntryLines(json, "third"), IsEmpty());
}

TEST(EntryLines, OfANameThatStandsTwiceAreTheLast) {
  const std::string_view json = R"({
  "mine": {"chat": [1]},
  "mine": {
    "chat": [2,
             3],
    "chat": [4]
  }
})";
  EXPECT_EQ(FindEntryLines(json, "mine").at("chat").list, 6u);
  EXPECT_THAT(FindEntryLines(json, "mine").at("chat").servers, ElementsAre(6));
}

TEST(EntryLines, EndWhereTheTextIsBroken) {
  const std::string_view json = "{\"mine\": {\n\"chat\": [{\"id\": \"a\\u00e4\"},\n12], \"gate\": [\n{}]}}";
  for (size_t end = 0; end <= json.size(); ++end) {
    for (const auto& [kind, lines] : FindEntryLines(json.substr(0, end), "mine")) {
      EXPECT_EQ(lines.list, kind == "chat" ? 2u : 3u) << end;
      EXPECT_LE(lines.servers.size(), kind == "chat" ? 2u : 1u) << end;
    }
  }
  EXPECT_THAT(FindEntryLines("{\"mine\": {\"chat\": [\n1, ] 2]}}", "mine").at("chat").servers,
              ElementsAre(2));
}

}  // namespace
}  // namespace hubbub::directory
