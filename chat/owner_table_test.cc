#include "chat/owner_table.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;
using Kind = OwnerTable::Owner::Kind;

ServerInfo Chat(const std::string& id, uint16_t port = 1) {
  ServerInfo info;
  info.id = id;
  info.host = "127.0.0.1";
  info.port = port;
  return info;
}

// A room that comes to the first of these before the others.
std::string RoomOf(const std::string& first, const std::vector<ServerInfo>& all) {
  for (int i = 0;; ++i) {
    std::string room = fmt::format("room-{}", i);
    if (ServerList{.gates = {}, .connectors = {}, .chats = all}.OwnerOf(room)->id == first) return room;
  }
}

PeerStatus Status(const std::string& id, bool settled = true, uint64_t incarnation = 1,
                  uint64_t times_lost = 0) {
  return {
      .id = id, .incarnation = incarnation, .draining = false, .settled = settled, .times_lost = times_lost};
}

class OwnerTableTest : public ::testing::Test {
 protected:
  OwnerTableTest() { table_.SetServers(all_); }

  const std::vector<ServerInfo> all_{Chat("a"), Chat("b"), Chat("c")};
  const std::string own_ = RoomOf("a", all_);
  const std::string others_ = RoomOf("b", all_);
  OwnerTable table_{"a"};
};

TEST_F(OwnerTableTest, AloneItOwnsEverything) {
  OwnerTable alone("a");
  alone.SetServers({Chat("a")});
  EXPECT_EQ(alone.OwnerOf(others_).kind, Kind::kSelf);
  EXPECT_TRUE(alone.Claim(others_).ok());
  EXPECT_TRUE(alone.Clear());
}

TEST_F(OwnerTableTest, WhatIsNotKnownYetIsNobodysToTake) {
  EXPECT_EQ(table_.OwnerOf(others_).kind, Kind::kUnclear);
  EXPECT_TRUE(absl::IsAborted(table_.Claim(others_)));
  EXPECT_EQ(table_.OwnerOf(own_).kind, Kind::kSelf);
  EXPECT_FALSE(table_.Clear());
}

TEST_F(OwnerTableTest, ARoomOfAnotherIsRefusedAndTheOwnerNamed) {
  table_.Heard(Status("b"));
  table_.Heard(Status("c"));
  const absl::Status status = table_.Claim(others_);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(OwnerIn(status), "b");
  EXPECT_THAT(std::string(status.message()), HasSubstr("belongs to chat server \"b\" at 127.0.0.1:1"));
}

TEST_F(OwnerTableTest, AnOwnRoomIsTakenOnlyWhenEveryReachableServerIsSettled) {
  table_.Heard(Status("b"));
  table_.Heard(Status("c", /*settled=*/false));
  EXPECT_TRUE(absl::IsAborted(table_.Claim(own_))) << "it may be on its way from c";
  EXPECT_FALSE(table_.Clear());
  table_.Heard(Status("c"));
  EXPECT_TRUE(table_.Claim(own_).ok());
  EXPECT_TRUE(table_.Clear());
}

TEST_F(OwnerTableTest, WhoIsLostOwnsNothingAndHoldsNobodyUp) {
  table_.Heard(Status("b", /*settled=*/false));
  table_.Heard(Status("c"));
  EXPECT_TRUE(table_.Lost("b"));
  EXPECT_FALSE(table_.Lost("b")) << "no news";
  EXPECT_FALSE(table_.Here("b"));
  EXPECT_TRUE(table_.Clear());
  EXPECT_NE(table_.OwnerOf(others_).server.id, "b");
  table_.Heard(Status("b"));
  EXPECT_EQ(table_.OwnerOf(others_).server.id, "b");
}

TEST_F(OwnerTableTest, WhoDrainsOwnsNothing) {
  table_.Heard(Status("c"));
  PeerStatus draining = Status("b");
  draining.draining = true;
  table_.Heard(draining);
  EXPECT_NE(table_.OwnerOf(others_).server.id, "b");
  table_.Drain();
  EXPECT_EQ(table_.OwnerOf(own_).kind, Kind::kOther);
  EXPECT_TRUE(table_.StatusFor("b").draining);
}

TEST_F(OwnerTableTest, OneOfAnotherVersionIsNotTakenForLost) {
  table_.Heard(Status("c"));
  table_.Foreign("b");
  const absl::Status status = table_.Claim(others_);
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("another version"));
}

TEST_F(OwnerTableTest, SettledIsSaidToWhomItConcernsAsOfNow) {
  table_.Heard(Status("b"));
  table_.Heard(Status("c"));
  EXPECT_FALSE(table_.StatusFor("b").settled);
  table_.SetSettled(table_.generation());
  EXPECT_TRUE(table_.StatusFor("b").settled);
  EXPECT_FALSE(table_.StatusFor("d").settled) << "it was never looked for rooms of d";
  table_.Lost("c");
  EXPECT_FALSE(table_.StatusFor("b").settled) << "it may have rooms of others again";
  table_.SetSettled(table_.generation());
  EXPECT_FALSE(table_.StatusFor("c").settled) << "what c would find here is not looked for";
  table_.Unsettle();
  EXPECT_FALSE(table_.StatusFor("b").settled);
}

TEST_F(OwnerTableTest, AnotherRunOfAServerIsNews) {
  using Life = OwnerTable::Life;
  EXPECT_EQ(table_.Heard(Status("b", true, 1)), Life::kSame);
  EXPECT_EQ(table_.Heard(Status("b", true, 1)), Life::kSame);
  EXPECT_EQ(table_.Heard(Status("b", true, 2)), Life::kNew);
  table_.Lost("b");
  EXPECT_EQ(table_.Heard(Status("b", true, 3)), Life::kNewAfterLoss);
  table_.Lost("b");
  EXPECT_EQ(table_.Heard(Status("b", true, 3)), Life::kSame) << "only the way to it was lost";
  table_.SetServers({Chat("a"), Chat("b", 2), Chat("c")});
  EXPECT_EQ(table_.Heard(Status("b", true, 4)), Life::kNew) << "at another address too";
}

// Found by the chaos test: it stayed "here" for ever, and whoever was stopped later waited for it.
TEST_F(OwnerTableTest, AServerThatLeftTheDirectoryCanBeLost) {
  table_.Heard(Status("b"));
  table_.Heard(Status("c"));
  table_.SetServers({Chat("a"), Chat("c")});
  EXPECT_TRUE(table_.Knows("b")) << "it may still hold rooms";
  EXPECT_TRUE(table_.MayBeReached("b"));
  EXPECT_FALSE(table_.Here("b"));
  table_.Lost("b");
  EXPECT_FALSE(table_.Knows("b"));
  table_.Doubt();
  table_.Heard(Status("c"));
  EXPECT_FALSE(table_.InDoubt());
}

TEST_F(OwnerTableTest, AfterAPauseItIsFoundOutWhetherSomebodyTookItsRooms) {
  const struct {
    const char* what;
    PeerStatus then;
    bool lost;
  } cases[] = {
      {"nobody noticed", Status("b", true, 1, 5), false},
      {"b took it for lost", Status("b", true, 1, 6), true},
      {"b is another one by now", Status("b", true, 2, 0), true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    OwnerTable table("a");
    table.SetServers({Chat("a"), Chat("b")});
    table.Heard(Status("b", true, 1, 5));
    table.Doubt();
    EXPECT_TRUE(table.InDoubt());
    EXPECT_TRUE(absl::IsAborted(table.Claim(RoomOf("b", all_))));
    table.Heard(c.then);
    EXPECT_FALSE(table.InDoubt());
    EXPECT_EQ(table.MayHaveLostRooms(), c.lost);
  }
  table_.Heard(Status("b"));
  table_.Heard(Status("c"));
  table_.Doubt();
  table_.Heard(Status("c"));
  table_.Lost("b");
  EXPECT_TRUE(table_.MayHaveLostRooms()) << "nobody can ask b";
  table_.Doubt();
  table_.Heard(Status("c"));
  table_.Lost("b");
  EXPECT_FALSE(table_.MayHaveLostRooms()) << "it was lost before";
}

// Tables that see each other, and tell each other what they see.
TEST(OwnerTables, NeverHaveTwoOwnersForARoomAndMoveNoMoreThanTheirShare) {
  std::vector<ServerInfo> servers;
  std::map<std::string, std::unique_ptr<OwnerTable>> tables;
  std::map<std::string, std::string> owners;
  const auto meet = [&] {
    for (auto& [id, table] : tables) table->SetServers(servers);
    for (int round = 0; round < 2; ++round) {
      for (auto& [id, table] : tables) {
        for (auto& [other, theirs] : tables) {
          if (other == id) continue;
          PeerStatus status = theirs->StatusFor(id);
          status.incarnation = 1;
          table->Heard(status);
        }
        table->SetSettled(table->generation());
      }
    }
  };
  for (int n = 1; n <= 6; ++n) {
    const std::string fresh = fmt::format("chat-{}", n);
    servers.push_back(Chat(fresh));
    tables[fresh] = std::make_unique<OwnerTable>(fresh);
    meet();
    int moved = 0;
    constexpr int kRooms = 3000;
    for (int i = 0; i < kRooms; ++i) {
      const std::string room = fmt::format("room-{}", i);
      std::vector<std::string> takers;
      for (auto& [id, table] : tables) {
        if (table->Claim(room).ok()) takers.push_back(id);
      }
      ASSERT_EQ(takers.size(), 1u) << room;
      if (std::string& owner = owners[room]; owner != takers[0]) {
        EXPECT_TRUE(owner.empty() || takers[0] == fresh) << "it moved between two that were there";
        ++moved;
        owner = takers[0];
      }
    }
    EXPECT_NEAR(moved, kRooms / n, kRooms / 20);
  }
}

}  // namespace
}  // namespace hubbub::chat
