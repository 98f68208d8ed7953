#include "gateway/entry_desk.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace hubbub::gate {
namespace {

using std::chrono::seconds;

class EntryDeskTest : public ::testing::Test {
 protected:
  void Connector(const std::string& id, uint32_t sessions, uint32_t capacity) {
    table_.Put({.id = id,
                .client_host = "h",
                .client_port = 1,
                .sessions = sessions,
                .capacity = capacity,
                .reachable = true,
                .draining = false});
  }
  // Over a new connection.
  std::string Ask(const std::string& user) { return AskOver(++connection_, user); }
  std::string AskOver(uint64_t connection, const std::string& user) {
    const auto connector = desk_.Ask(user, connection, now_);
    return connector.ok() ? connector->id : "";
  }

  EntryTable table_;
  EntryDesk desk_{table_};
  uint64_t connection_ = 0;
  EntryDesk::Clock::time_point now_{seconds(1'000)};
};

TEST_F(EntryDeskTest, TheFirstAnswerIsThatOfTheTable) {
  for (const char* id : {"a", "b", "c"}) Connector(id, 10, 1'000);
  EntryTable other;
  for (const char* id : {"a", "b", "c"}) other.Put(table_.Get(id));
  for (int i = 0; i < 300; ++i) {
    const std::string user = "user-" + std::to_string(i);
    EXPECT_EQ(Ask(user), other.Pick(user)->id);
  }
}

TEST_F(EntryDeskTest, WhoAsksAgainIsSentThroughAllBeforeOneComesAgain) {
  for (const char* id : {"a", "b", "c", "d"}) Connector(id, 10, 1'000);
  for (int i = 0; i < 50; ++i) {
    const std::string user = "user-" + std::to_string(i);
    Ask(user);  // The first answer comes twice.
    for (int round = 0; round < 3; ++round) {
      std::set<std::string> named;
      for (int ask = 0; ask < 4; ++ask, now_ += seconds(20)) named.insert(Ask(user));
      EXPECT_EQ(named, (std::set<std::string>{"a", "b", "c", "d"})) << user;
    }
  }
}

TEST_F(EntryDeskTest, APageThatIsReloadedHasTheSameAnswer) {
  for (const char* id : {"a", "b", "c"}) Connector(id, 10, 1'000);
  const std::string first = AskOver(1, "ann");
  EXPECT_EQ(AskOver(2, "ann"), first);
}

TEST_F(EntryDeskTest, TheSameConnectionHasTheSameAnswer) {
  for (const char* id : {"a", "b", "c"}) Connector(id, 10, 1'000);
  const std::string first = AskOver(1, "ann");
  EXPECT_EQ(AskOver(1, "ann"), first);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(AskOver(2, "ann"), first);
  const std::string second = AskOver(3, "ann");
  EXPECT_NE(second, first);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(AskOver(3, "ann"), second);
  const std::string third = AskOver(4, "ann");
  EXPECT_NE(third, first);
  EXPECT_NE(third, second);
}

TEST_F(EntryDeskTest, TheSameConnectionIsSentOnWhenThereIsNoRoomAnyMore) {
  for (const char* id : {"a", "b"}) Connector(id, 10, 1'000);
  const std::string first = AskOver(1, "ann");
  Connector(first, 1'000, 1'000);
  EXPECT_NE(AskOver(1, "ann"), first);
}

TEST_F(EntryDeskTest, ForgetsAfterAWhile) {
  for (const char* id : {"a", "b", "c"}) Connector(id, 10, 1'000);
  const std::string first = Ask("ann");
  EXPECT_EQ(Ask("ann"), first);
  now_ += EntryDesk::kMemory;
  EXPECT_NE(Ask("ann"), first);
  now_ += EntryDesk::kMemory + seconds(1);
  EXPECT_EQ(Ask("ann"), first);
}

TEST_F(EntryDeskTest, TheOnlyOneWithRoomIsNamedAgain) {
  Connector("a", 10, 1'000);
  Connector("b", 1'000, 1'000);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask("ann"), "a");
  Connector("a", 1'000, 1'000);
  EXPECT_EQ(Ask("ann"), "");
  Connector("b", 999, 1'000);
  EXPECT_EQ(Ask("ann"), "b");
}

TEST_F(EntryDeskTest, ForgetsThoseWhoAskedLongestAgoBeyondTheBound) {
  for (const char* id : {"a", "b", "c"}) Connector(id, 0, 1'000'000);
  const std::string first = Ask("ann");
  EXPECT_EQ(Ask("ann"), first);
  for (size_t i = 0; i < EntryDesk::kMaxUsers / 2 - 2; ++i) Ask("user-" + std::to_string(i));
  EXPECT_NE(Ask("ann"), first) << "half of the bound is always remembered";
  for (size_t i = 0; i < EntryDesk::kMaxUsers; ++i) Ask("other-" + std::to_string(i));
  EXPECT_EQ(Ask("ann"), first);
}

}  // namespace
}  // namespace hubbub::gate
