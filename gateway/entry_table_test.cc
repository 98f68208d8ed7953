#include "gateway/entry_table.h"

#include <map>
#include <string>

#include "gtest/gtest.h"
#include "services/rendezvous.h"

namespace hubbub::gateway {
namespace {

ConnectorState Ready(const std::string& id, uint32_t sessions = 0) {
  ConnectorState state;
  state.id = id;
  state.client_host = id + ".example";
  state.client_port = 3050;
  state.sessions = sessions;
  state.reachable = true;
  return state;
}

std::string Pick(const EntryTable& table, const std::string& user) {
  const auto picked = table.Pick(user);
  return picked.ok() ? picked->id : "";
}

std::string User(int i) {
  return "user-" + std::to_string(i);
}

TEST(EntryTable, NobodyServesWhereNobodyIs) {
  EntryTable table;
  const auto none = table.Pick("ann");
  EXPECT_EQ(none.status().code(), absl::StatusCode::kUnavailable);
  ConnectorState away = Ready("a");
  away.reachable = false;
  table.Put(away);
  ConnectorState draining = Ready("b");
  draining.draining = true;
  table.Put(draining);
  EXPECT_EQ(table.Pick("ann").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(table.Get("b").draining, true);
  EXPECT_EQ(table.Get("c").id, "");
}

TEST(EntryTable, AnswersWhatIsKnownOfTheConnector) {
  EntryTable table;
  table.Put(Ready("a", 7));
  const auto picked = table.Pick("ann");
  ASSERT_TRUE(picked.ok());
  EXPECT_EQ(picked->client_host, "a.example");
  EXPECT_EQ(picked->client_port, 3050);
  EXPECT_EQ(picked->sessions, 7u);
}

TEST(EntryTable, AnyNumberOfGatesAgree) {
  EntryTable one, other;
  for (const char* id : {"a", "b", "c"}) one.Put(Ready(id, 10));
  for (const char* id : {"c", "a", "b"}) other.Put(Ready(id, 10));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Pick(one, User(i)), Pick(other, User(i)));
}

TEST(EntryTable, PassesOverWhoIsAwayOrDrainsAndMovesNobodyElse) {
  EntryTable table;
  for (const char* id : {"a", "b", "c"}) table.Put(Ready(id, 10));
  std::map<int, std::string> before;
  for (int i = 0; i < 300; ++i) before[i] = Pick(table, User(i));
  const auto expect_without = [&](const std::string& gone) {
    for (const auto& [i, was] : before) {
      if (was == gone) {
        EXPECT_NE(Pick(table, User(i)), gone);
        EXPECT_NE(Pick(table, User(i)), "");
      } else {
        EXPECT_EQ(Pick(table, User(i)), was);
      }
    }
  };
  const auto expect_as_before = [&] {
    for (const auto& [i, was] : before) EXPECT_EQ(Pick(table, User(i)), was);
  };
  table.SetUnreachable("b");
  expect_without("b");
  table.Put(Ready("b", 10));
  expect_as_before();

  ConnectorState draining = Ready("c", 10);
  draining.draining = true;
  table.Put(draining);
  expect_without("c");
  table.Put(Ready("c", 10));
  expect_as_before();

  table.Remove("a");
  expect_without("a");
  table.SetUnreachable("a");
  table.Remove("a");
  EXPECT_EQ(table.Get("a").id, "");
}

// What 1.25 times the mean, with the newcomer, and the slack come to.
TEST(EntryTable, BoundsTheLoad) {
  const struct {
    const char* what;
    uint32_t a, b, c;
    std::map<std::string, bool> taken;  // Who is ever picked.
  } cases[] = {
      {"all empty", 0, 0, 0, {{"a", true}, {"b", true}, {"c", true}}},
      {"few, whose number is a moment old", 20, 0, 1, {{"a", true}, {"b", true}, {"c", true}}},
      {"one full", 200, 10, 10, {{"a", false}, {"b", true}, {"c", true}}},
      {"just below: 1.25 * 3001 / 3 + 50 = 1300.4, rounded up",
       1300,
       1000,
       700,
       {{"a", true}, {"b", true}, {"c", true}}},
      {"just above", 1301, 1000, 699, {{"a", false}, {"b", true}, {"c", true}}},
      {"all but one full", 1000, 1000, 1, {{"a", false}, {"b", false}, {"c", true}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EntryTable table;
    table.Put(Ready("a", c.a));
    table.Put(Ready("b", c.b));
    table.Put(Ready("c", c.c));
    std::map<std::string, bool> taken{{"a", false}, {"b", false}, {"c", false}};
    for (int i = 0; i < 300; ++i) taken.at(Pick(table, User(i))) = true;
    EXPECT_EQ(taken, c.taken);
  }
}

TEST(EntryTable, TheLoadOfThoseWhoAreAwayDoesNotCount) {
  EntryTable table;
  table.Put(Ready("a", 100));
  table.Put(Ready("b", 100));
  ConnectorState away = Ready("c", 1'000'000);
  away.reachable = false;
  table.Put(away);
  table.Put(Ready("d", 300));
  for (int i = 0; i < 300; ++i) EXPECT_NE(Pick(table, User(i)), "d") << "300 is above 1.25 * 501 / 3 + 50";
}

// However users come, there is always somebody below the bound, and nobody is far above the others.
TEST(EntryTable, FillsEvenly) {
  EntryTable table;
  std::map<std::string, uint32_t> sessions{{"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}};
  for (const auto& [id, count] : sessions) table.Put(Ready(id, count));
  for (int i = 0; i < 2000; ++i) {
    const std::string id = Pick(table, User(i));
    ASSERT_NE(id, "");
    table.Put(Ready(id, ++sessions.at(id)));
  }
  for (const auto& [id, count] : sessions) EXPECT_LE(count, 500u * 5 / 4 + 50 + 1) << id;
}

}  // namespace
}  // namespace hubbub::gateway
