#include "services/pomelo/dictionary.h"

#include <limits>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

TEST(Dictionary, CountsHandlersInByteOrderThenPushesAsGiven) {
  const auto dictionary = Dictionary::Make(
      {"gate.gateHandler.queryEntry", "chat.chatHandler.send", "connector.entryHandler.enter"},
      {"onLeave", "onAdd"});
  ASSERT_TRUE(dictionary.ok()) << dictionary.status();
  EXPECT_EQ(dictionary->RouteToCode(), (json::object{{"chat.chatHandler.send", 1},
                                                     {"connector.entryHandler.enter", 2},
                                                     {"gate.gateHandler.queryEntry", 3},
                                                     {"onLeave", 4},
                                                     {"onAdd", 5}}));
  EXPECT_EQ(dictionary->CodeToRoute(), (json::object{{"1", "chat.chatHandler.send"},
                                                     {"2", "connector.entryHandler.enter"},
                                                     {"3", "gate.gateHandler.queryEntry"},
                                                     {"4", "onLeave"},
                                                     {"5", "onAdd"}}));
}

TEST(Dictionary, LooksUpBothWays) {
  const auto dictionary = Dictionary::Make({"b", "a"});
  EXPECT_EQ(dictionary->CodeOf("b"), 2);
  EXPECT_EQ(dictionary->RouteOf(2), "b");
  EXPECT_EQ(dictionary->CodeOf("c"), std::nullopt);
  for (const uint16_t code : {0, 3, 65535}) EXPECT_EQ(dictionary->RouteOf(code), std::nullopt);
}

TEST(Dictionary, KeepsTheFirstCodeOfARouteGivenTwice) {
  const auto dictionary = Dictionary::Make({"a", "a", "b"}, {"a", "c"});
  EXPECT_EQ(dictionary->RouteToCode(), (json::object{{"a", 1}, {"b", 2}, {"c", 3}}));
}

TEST(Dictionary, HasAVersionOfItsContents) {
  EXPECT_EQ(Dictionary::Make({"a", "b"})->version(), Dictionary::Make({"b", "a"})->version());
  EXPECT_NE(Dictionary::Make({"a", "b"})->version(), Dictionary::Make({"a", "c"})->version());
  EXPECT_NE(Dictionary::Make({}, {"a", "b"})->version(), Dictionary::Make({}, {"b", "a"})->version());
  // Clients store it: it must not change from one build to the next.
  EXPECT_EQ(Dictionary::Make({"chat.chatHandler.send"})->version(), "e849df344c7c6c3a");
}

TEST(Dictionary, RefusesRoutesThatTheWireCanNotCarry) {
  EXPECT_FALSE(Dictionary::Make({""}).ok());
  EXPECT_FALSE(Dictionary::Make({std::string(256, 'a')}).ok());
  EXPECT_FALSE(Dictionary::Make({}, {"\xff"}).ok());
}

TEST(Dictionary, RefusesMoreThanSixteenBitsCount) {
  std::vector<std::string> routes;
  routes.reserve(std::numeric_limits<uint16_t>::max() + 1);
  for (int i = 0; i < std::numeric_limits<uint16_t>::max(); ++i) routes.push_back(fmt::format("route{}", i));
  const auto full = Dictionary::Make(routes);
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_TRUE(full->RouteOf(65535).has_value());
  routes.emplace_back("one.more");
  EXPECT_FALSE(Dictionary::Make(routes).ok());
}

}  // namespace
}  // namespace hubbub::pomelo
