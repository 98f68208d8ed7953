#include "gateway/entry_table.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/base/rendezvous.h"

namespace hubbub::gate {
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

std::string Pick(EntryTable& table, const std::string& user) {
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

ConnectorState Holding(const std::string& id, uint32_t sessions, uint32_t capacity) {
  ConnectorState state = Ready(id, sessions);
  state.capacity = capacity;
  return state;
}

// Who is picked, of 1,000 users, how often. Each answer is to fresh figures.
std::map<std::string, int> Shares(const std::vector<ConnectorState>& states) {
  std::map<std::string, int> shares;
  EntryTable table;
  for (int i = 0; i < 1000; ++i) {
    for (const ConnectorState& state : states) table.Put(state);
    ++shares[Pick(table, User(i))];
  }
  return shares;
}

TEST(EntryTable, AFullOneServesNobodyWhileAnotherHasRoom) {
  EXPECT_EQ(Shares({Holding("a", 2, 2), Holding("b", 1, 2)}), (std::map<std::string, int>{{"b", 1000}}));
  EXPECT_EQ(Shares({Holding("a", 3, 2), Holding("b", 99'999, 100'000)}),
            (std::map<std::string, int>{{"b", 1000}}));
}

TEST(EntryTable, SaysThatAllAreFull) {
  EntryTable table;
  table.Put(Holding("a", 2, 2));
  table.Put(Holding("b", 3, 2));
  ConnectorState draining = Holding("c", 0, 2);
  draining.draining = true;
  table.Put(draining);
  const auto none = table.Pick("ann");
  EXPECT_EQ(none.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(none.status().message(), "every connector is full");
  EXPECT_FALSE(table.Pick("ann", std::vector<std::string>{"a"}).ok());
}

TEST(EntryTable, SpreadsByRoom) {
  auto shares = Shares({Holding("a", 0, 100), Holding("b", 75, 100)});
  EXPECT_NEAR(shares["b"], 200, 50) << "a quarter of the room";
  shares = Shares({Holding("a", 10, 100), Holding("b", 10, 1'000), Holding("c", 900, 1'000)});
  EXPECT_NEAR(shares["a"], 100, 40);
  EXPECT_GT(shares["b"], 750);
}

TEST(EntryTable, LittleDifferencesMoveNobody) {
  EntryTable one, other;
  for (const char* id : {"a", "b", "c"}) one.Put(Holding(id, 0, 100'000));
  other.Put(Holding("a", 5'000, 100'000));
  other.Put(Holding("b", 5'100, 100'000));
  other.Put(Holding("c", 4'900, 100'000));
  EntryTable old;
  for (const char* id : {"a", "b", "c"}) old.Put(Ready(id));
  for (int i = 0; i < 1000; ++i) {
    const std::string id = Pick(one, User(i));
    EXPECT_EQ(Pick(other, User(i)), id);
    EXPECT_EQ(Pick(old, User(i)), id) << "those that do not tell their capacity are treated as equals";
  }
}

// Room that grows at one connector takes users from the others, and moves none between those.
TEST(EntryTable, MoreRoomTakesUsersAndMovesNoOthers) {
  const auto with = [](uint32_t c, const std::string& user) {
    EntryTable table;
    table.Put(Holding("a", 10, 200));
    table.Put(Holding("b", 10, 200));
    table.Put(Holding("c", c, 200));
    return Pick(table, user);
  };
  for (int i = 0; i < 500; ++i) {
    const std::string before = with(60, User(i));
    const std::string after = with(10, User(i));
    EXPECT_TRUE(after == before || after == "c") << before << " to " << after;
  }
}

TEST(EntryTable, CountsWhatItHasAnsweredSinceTheFiguresCame) {
  EntryTable table;
  table.Put(Holding("a", 0, 3));
  table.Put(Holding("b", 0, 5));
  std::map<std::string, int> sent;
  for (int i = 0; i < 8; ++i) ++sent[Pick(table, User(i))];
  EXPECT_EQ(sent, (std::map<std::string, int>{{"a", 3}, {"b", 5}}));
  EXPECT_NE(Pick(table, "ann"), "") << "perhaps not all have come: the figures decide";
  table.Put(Holding("a", 3, 3));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Pick(table, User(i)), "b");
  table.Put(Holding("b", 5, 5));
  EXPECT_EQ(Pick(table, "ann"), "");
}

TEST(EntryTable, PassesOverWhomTheUserHasTried) {
  EntryTable table;
  for (const char* id : {"a", "b", "c"}) table.Put(Holding(id, 0, 100));
  for (int i = 0; i < 100; ++i) {
    const std::vector<std::string> tried{"b", "c"};
    EXPECT_EQ(table.Pick(User(i), tried)->id, "a");
  }
  table.Put(Holding("a", 100, 100));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(table.Pick(User(i), std::vector<std::string>{"b"})->id, "c");
    EXPECT_EQ(table.Pick(User(i), std::vector<std::string>{"b", "c"})->id, "b") << "better again than full";
    EXPECT_EQ(table.Pick(User(i), std::vector<std::string>{"c", "b", "a"})->id, "c") << "tried longest ago";
  }
}

// Whatever the states: somebody who cannot serve is never named while anybody can.
TEST(EntryTable, NamesOnlyThoseWhoCanServe) {
  std::mt19937 random(7);
  const auto below = [&](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  for (int round = 0; round < 2'000; ++round) {
    SCOPED_TRACE(round);
    EntryTable table;
    std::map<std::string, ConnectorState> states;
    const uint32_t count = 1 + below(6);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t scale = below(2) == 0 ? 5 : 100'000;
      ConnectorState state =
          Holding("c" + std::to_string(i), below(scale), below(4) == 0 ? 0 : below(scale) + 1);
      state.reachable = below(4) != 0;
      state.draining = below(4) == 0;
      table.Put(state);
      states[state.id] = state;
    }
    const auto serves = [](const ConnectorState& state) {
      return state.reachable && !state.draining && (state.capacity == 0 || state.sessions < state.capacity);
    };
    bool any = false;
    for (const auto& [id, state] : states) any = any || serves(state);
    for (int i = 0; i < 20; ++i) {
      std::vector<std::string> tried;
      bool others = false;
      for (const auto& [id, state] : states) {
        if (below(2) == 0)
          tried.push_back(id);
        else
          others = others || serves(state);
      }
      const auto picked = table.Pick(User(i), tried);
      ASSERT_EQ(picked.ok(), any);
      if (!any) continue;
      EXPECT_TRUE(serves(states.at(picked->id)));
      if (others) {
        EXPECT_EQ(std::count(tried.begin(), tried.end(), picked->id), 0) << "another one has room";
      }
    }
  }
}

}  // namespace
}  // namespace hubbub::gate
