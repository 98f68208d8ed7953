#include "services/base/rendezvous.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

struct Server {
  std::string id;
};

std::vector<Server> Servers(int count) {
  std::vector<Server> servers;
  for (int i = 1; i <= count; ++i) servers.push_back({"chat-server-" + std::to_string(i)});
  return servers;
}

std::string Owner(const std::vector<Server>& servers, const std::string& key) {
  const Server* owner = RendezvousPick(servers, key, [](const Server&) { return true; });
  return owner == nullptr ? "" : owner->id;
}

constexpr int kKeys = 10'000;
std::string Key(int i) {
  return "room-" + std::to_string(i);
}

// Processes of different builds and releases must agree about owners: these values never change.
TEST(Rendezvous, GoldenScores) {
  const struct {
    const char* key;
    const char* server;
    uint64_t score;
  } golden[] = {
      {"lobby", "chat-server-1", 0x92ddaf08852250b3u},
      {"lobby", "chat-server-2", 0xbd6f3dc4a9162b56u},
      {"", "chat-server-1", 0x84cc701bb2365764u},
      {"\xe6\x97\xa5\xe6\x9c\xac", "chat-server-1", 0x418b214aad774803u},
      {"ann", "connector-server-3", 0xbf27a31920349c2eu},
  };
  for (const auto& g : golden)
    EXPECT_EQ(RendezvousScore(g.key, g.server), g.score) << g.key << " " << g.server;
}

TEST(Rendezvous, PicksTheGreatestScore) {
  const auto servers = Servers(5);
  for (int i = 0; i < 100; ++i) {
    const std::string owner = Owner(servers, Key(i));
    for (const Server& server : servers)
      EXPECT_LE(RendezvousScore(Key(i), server.id), RendezvousScore(Key(i), owner));
  }
}

TEST(Rendezvous, NobodyIsPickedOfNone) {
  EXPECT_EQ(Owner({}, "room"), "");
  EXPECT_EQ(RendezvousPick(Servers(3), "room", [](const Server&) { return false; }), nullptr);
}

TEST(Rendezvous, PassesOverWhoIsNotUsable) {
  const auto servers = Servers(5);
  const std::string first = Owner(servers, "room");
  const Server* second = RendezvousPick(servers, "room", [&](const Server& s) { return s.id != first; });
  ASSERT_NE(second, nullptr);
  EXPECT_NE(second->id, first);
}

TEST(Rendezvous, SpreadsKeysEvenly) {
  const auto servers = Servers(5);
  std::map<std::string, int> keys;
  for (int i = 0; i < kKeys; ++i) ++keys[Owner(servers, Key(i))];
  ASSERT_EQ(keys.size(), servers.size());
  for (const auto& [id, count] : keys) {
    EXPECT_GT(count, kKeys / 5 * 9 / 10) << id;
    EXPECT_LT(count, kKeys / 5 * 11 / 10) << id;
  }
}

TEST(Rendezvous, AServerMoreTakesItsShareAndMovesNoOther) {
  const auto before = Servers(4);
  const auto after = Servers(5);
  int moved = 0;
  for (int i = 0; i < kKeys; ++i) {
    const std::string was = Owner(before, Key(i));
    const std::string is = Owner(after, Key(i));
    if (was == is) continue;
    EXPECT_EQ(is, "chat-server-5") << "a key moved between two servers that stayed";
    ++moved;
  }
  EXPECT_GT(moved, kKeys / 5 * 9 / 10);
  EXPECT_LT(moved, kKeys / 5 * 11 / 10);
}

TEST(Rendezvous, AServerLessGivesItsShareToAllOthers) {
  const auto before = Servers(5);
  auto after = before;
  after.erase(after.begin() + 2);
  std::map<std::string, int> heirs;
  for (int i = 0; i < kKeys; ++i) {
    const std::string was = Owner(before, Key(i));
    const std::string is = Owner(after, Key(i));
    if (was != "chat-server-3") {
      EXPECT_EQ(was, is) << "a key moved between two servers that stayed";
    } else {
      ++heirs[is];
    }
  }
  EXPECT_EQ(heirs.size(), 4u);
  for (const auto& [id, count] : heirs) EXPECT_GT(count, kKeys / 5 / 4 * 8 / 10) << id;
}

}  // namespace
}  // namespace hubbub
