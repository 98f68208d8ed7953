#include "chat/owner_table.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rendezvous.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = OwnerTable::Owner::Kind;
using Life = OwnerTable::Life;

ServerInfo Server(const std::string& id, uint16_t port = 9000) {
  return {.kind = ServerKind::kChat, .id = id, .host = "10.0.0.1", .port = port};
}

std::vector<ServerInfo> Servers(const std::vector<std::string>& ids) {
  std::vector<ServerInfo> servers;
  for (const std::string& id : ids) servers.push_back(Server(id));
  return servers;
}

// A room that goes to `first` before all others of `ids`, and to `second` if that is not there.
std::string RoomOf(const std::vector<std::string>& ids, std::string_view first,
                   std::string_view second = {}) {
  for (int i = 0;; ++i) {
    const std::string room = fmt::format("room-{}", i);
    const auto servers = Servers(ids);
    if (RendezvousPick(servers, room, [](const auto&) { return true; })->id != first) continue;
    const auto* const next = RendezvousPick(servers, room, [&](const auto& s) { return s.id != first; });
    if (second.empty() || next->id == second) return room;
  }
}

// Chat server "a" of three.
class OwnerTableTest : public ::testing::Test {
 protected:
  OwnerTableTest() { table_.SetServers(Servers(ids_)); }

  Life Hear(const std::string& id, PeerStatus status = {}) {
    status.id = id;
    if (status.incarnation == 0) status.incarnation = 1;
    if (status.heard_incarnation == 0) {
      const PeerStatus told = table_.StatusFor(id);
      status.heard_incarnation = told.incarnation;
      status.heard_term = told.term;
    }
    return table_.Heard(status);
  }
  void HearBothSettled() {
    for (const char* id : {"b", "c"}) Hear(id, {.settled = true});
  }
  absl::StatusCode Claim(const std::string& room) const { return table_.Claim(room).code(); }
  std::string OwnerOf(const std::string& room) const {
    const OwnerTable::Owner owner = table_.OwnerOf(room);
    if (owner.kind == Kind::kSelf) return "a";
    return owner.kind == Kind::kUnclear ? owner.server.id + "?" : owner.server.id;
  }

  const std::vector<std::string> ids_ = {"a", "b", "c"};
  const std::string of_a_ = RoomOf(ids_, "a");
  const std::string of_b_then_a_ = RoomOf(ids_, "b", "a");
  const std::string of_b_then_c_ = RoomOf(ids_, "b", "c");
  OwnerTable table_{"a"};
};

TEST_F(OwnerTableTest, AnOwnerThatWasNotHeardOfYetIsUnclear) {
  EXPECT_EQ(OwnerOf(of_a_), "a");
  EXPECT_EQ(OwnerOf(of_b_then_a_), "b?");
  const absl::Status claim = table_.Claim(of_b_then_a_);
  EXPECT_EQ(claim.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(OwnerIn(claim), "");
  Hear("b");
  EXPECT_EQ(OwnerOf(of_b_then_a_), "b");
}

TEST_F(OwnerTableTest, ARoomOfAnotherNamesItsOwner) {
  HearBothSettled();
  const absl::Status claim = table_.Claim(of_b_then_a_);
  EXPECT_EQ(claim.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(OwnerIn(claim), "b");
  EXPECT_EQ(
      std::string(claim.message()),
      fmt::format("room \"{}\" belongs to chat server \"b\" at 10.0.0.1:9000, not to \"a\"", of_b_then_a_));
}

TEST_F(OwnerTableTest, TheNextBestOwnsTheRoomOfAServerThatIsLost) {
  HearBothSettled();
  EXPECT_TRUE(table_.Lost("b"));
  EXPECT_FALSE(table_.Lost("b")) << "no news";
  EXPECT_FALSE(table_.Lost("nobody"));
  EXPECT_EQ(OwnerOf(of_b_then_a_), "a");
  EXPECT_EQ(OwnerOf(of_b_then_c_), "c");
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kOk);
  Hear("b");
  EXPECT_EQ(OwnerOf(of_b_then_a_), "b");
}

TEST_F(OwnerTableTest, AServerThatDrainsOwnsNothingWhileThereIsAnother) {
  HearBothSettled();
  Hear("b", {.draining = true, .settled = false});
  EXPECT_EQ(OwnerOf(of_b_then_c_), "c");
  EXPECT_EQ(OwnerOf(of_b_then_a_), "a");
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kAborted) << "it may still hold the room";
  Hear("b", {.draining = true, .settled = true});
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kOk);

  table_.Drain();
  EXPECT_EQ(OwnerOf(of_a_), "c");
  EXPECT_TRUE(table_.StatusFor("c").draining);
  table_.Lost("c");
  EXPECT_EQ(OwnerOf(of_a_), "a") << "nobody else is left";
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted) << "b thinks the same of itself";
}

TEST_F(OwnerTableTest, AServerOfAnotherVersionKeepsItsNamesAndIsNotWaitedFor) {
  HearBothSettled();
  table_.Foreign("b");
  EXPECT_EQ(OwnerOf(of_b_then_a_), "b?");
  EXPECT_THAT(std::string(table_.Claim(of_b_then_a_).message()), HasSubstr("another version"));
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
  EXPECT_TRUE(table_.Clear());
  table_.Foreign("nobody");
  Hear("b");
  EXPECT_EQ(OwnerOf(of_b_then_a_), "b");
}

TEST_F(OwnerTableTest, ARoomIsMadeOnlyWhileAllOthersThatAreHereAreSettled) {
  HearBothSettled();
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
  EXPECT_TRUE(table_.Clear());
  Hear("b", {.settled = false});
  EXPECT_FALSE(table_.Clear());
  const absl::Status claim = table_.Claim(of_a_);
  EXPECT_EQ(claim.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(claim.message()), HasSubstr("may be on its way from chat server \"b\""));
  table_.Lost("b");
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk) << "what it held is no more";
  EXPECT_TRUE(table_.Clear());
}

TEST_F(OwnerTableTest, NoRoomIsMadeBeforeItIsKnownOfEachServerWhetherItCanBeReached) {
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted);
  Hear("b", {.settled = true});
  EXPECT_FALSE(table_.Clear());
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted) << "c may hold it";
  table_.Lost("c");
  EXPECT_TRUE(table_.Clear());
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
}

TEST_F(OwnerTableTest, ItIsNotSettledWhileItIsUnclearWhoseItsRoomsAre) {
  Hear("b");
  table_.SetSettled(table_.generation());
  EXPECT_FALSE(table_.StatusFor("b").settled) << "some may be c's";
  table_.Foreign("c");
  table_.SetSettled(table_.generation());
  EXPECT_TRUE(table_.StatusFor("b").settled) << "it will never say";
}

TEST_F(OwnerTableTest, ItIsSettledTowardsThoseThatItKnowsAndReachesAsOfItsPresentTable) {
  Hear("b");
  table_.Lost("c");
  EXPECT_FALSE(table_.StatusFor("b").settled) << "nobody has looked yet";
  table_.SetSettled(table_.generation());
  EXPECT_TRUE(table_.StatusFor("b").settled);
  EXPECT_FALSE(table_.StatusFor("c").settled) << "not reached";
  EXPECT_FALSE(table_.StatusFor("stranger").settled);

  const uint64_t before = table_.generation();
  table_.SetServers(Servers(ids_));
  EXPECT_FALSE(table_.StatusFor("b").settled);
  table_.SetSettled(before);
  EXPECT_FALSE(table_.StatusFor("b").settled) << "that was another table";
  table_.SetSettled(table_.generation());
  Hear("c");
  EXPECT_FALSE(table_.StatusFor("b").settled) << "c may be an owner now";
}

TEST_F(OwnerTableTest, EveryChangeOfAnOwnerIsAnotherGenerationAndIsTold) {
  HearBothSettled();
  int told = 0;
  table_.OnChange([&] { ++told; });
  uint64_t generation = table_.generation();
  const auto changed = [&] { return table_.generation() != std::exchange(generation, table_.generation()); };
  Hear("b", {.settled = false});
  EXPECT_FALSE(changed()) << "it owns what it owned";
  Hear("b", {.draining = true});
  EXPECT_TRUE(changed());
  table_.Lost("b");
  EXPECT_TRUE(changed());
  EXPECT_EQ(table_.StatusFor("b").times_lost, 1u);
  table_.SetServers(Servers({"a", "c"}));
  EXPECT_TRUE(changed());
  table_.Drain();
  EXPECT_TRUE(changed());
  table_.Doubt();
  EXPECT_TRUE(changed());
  EXPECT_GE(told, 5);
}

TEST_F(OwnerTableTest, AnotherIncarnationIsAnotherLife) {
  EXPECT_EQ(Hear("b", {.incarnation = 7}), Life::kSame) << "the first one";
  EXPECT_EQ(Hear("b", {.incarnation = 7}), Life::kSame);
  EXPECT_EQ(Hear("b", {.incarnation = 8}), Life::kNew);
  EXPECT_EQ(table_.IncarnationOf("b"), 8u);
  table_.Lost("b");
  EXPECT_EQ(table_.IncarnationOf("b"), 8u) << "so that it can be said which run was lost";
  EXPECT_EQ(Hear("b", {.incarnation = 8}), Life::kSame) << "it could not be reached, but has lived on";
  table_.Lost("b");
  EXPECT_EQ(Hear("b", {.incarnation = 9}), Life::kNewAfterLoss);
  EXPECT_EQ(Hear("b", {.incarnation = 10}), Life::kNew);
  EXPECT_EQ(Hear("stranger", {.incarnation = 1}), Life::kSame);
  EXPECT_EQ(table_.IncarnationOf("stranger"), 0u);
}

TEST_F(OwnerTableTest, AnotherAddressIsAnotherProcess) {
  Hear("b", {.incarnation = 7, .settled = true});
  table_.SetServers({Server("a"), Server("b", 9001), Server("c")});
  EXPECT_EQ(OwnerOf(of_b_then_a_), "b?");
  EXPECT_EQ(Hear("b", {.incarnation = 8}), Life::kNew);
  EXPECT_EQ(table_.OwnerOf(of_b_then_a_).server.port, 9001);
}

TEST_F(OwnerTableTest, ALossIsKnownAcrossAChangeOfTheAddressAndADoubt) {
  Hear("b", {.incarnation = 7});
  table_.Lost("b");
  table_.SetServers({Server("a"), Server("b", 9001), Server("c")});
  EXPECT_EQ(table_.StatusFor("b").times_lost, 1u);
  EXPECT_EQ(Hear("b", {.incarnation = 8}), Life::kNewAfterLoss) << "it is lost once, not twice";
  table_.Lost("b");
  table_.Doubt();
  EXPECT_EQ(Hear("b", {.incarnation = 9}), Life::kNewAfterLoss);
}

TEST_F(OwnerTableTest, AServerThatLeavesTheDirectoryIsHeardOutWhileItCanBeReached) {
  HearBothSettled();
  table_.SetServers(Servers({"a", "c"}));
  EXPECT_EQ(OwnerOf(of_b_then_a_), "a");
  EXPECT_TRUE(table_.MayBeReached("b"));
  EXPECT_TRUE(table_.Knows("b"));
  EXPECT_FALSE(table_.StatusFor("b").settled);
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kAborted) << "b may not have seen yet that it has left";
  Hear("b", {.draining = true, .settled = false});
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kAborted);
  Hear("b", {.draining = true, .settled = true});
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kOk);
  table_.Lost("b");
  EXPECT_FALSE(table_.Knows("b")) << "gone from the directory and the network";
}

TEST_F(OwnerTableTest, AServerThatCanNotBeReachedIsForgottenWithTheDirectory) {
  Hear("b");
  table_.Lost("b");
  table_.Foreign("c");
  table_.SetServers(Servers({"a"}));
  EXPECT_FALSE(table_.Knows("b"));
  EXPECT_FALSE(table_.Knows("c"));
  EXPECT_EQ(OwnerOf(of_b_then_a_), "a");
  table_.SetServers(Servers(ids_));
  EXPECT_EQ(Hear("b", {.incarnation = 5}), Life::kSame) << "nothing is known of an earlier one";
}

TEST_F(OwnerTableTest, AServerThatLeavesTheDirectoryBeforeItIsHeardOfIsWaitedFor) {
  Hear("b", {.settled = true});
  table_.Doubt();
  table_.SetServers(Servers({"a"}));
  EXPECT_TRUE(table_.InDoubt()) << "nobody has asked them yet";
  EXPECT_EQ(OwnerOf(of_b_then_a_), "a");
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kAborted) << "they may hold it";
  Hear("b", {.draining = true, .settled = true});
  table_.Lost("c");
  EXPECT_FALSE(table_.InDoubt());
  EXPECT_EQ(Claim(of_b_then_a_), absl::StatusCode::kOk);
}

TEST_F(OwnerTableTest, WhoeverIsNotInTheDirectoryOwnsNothingAndSaysSo) {
  HearBothSettled();
  table_.SetServers(Servers({"b", "c"}));
  EXPECT_NE(OwnerOf(of_a_), "a");
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(table_.StatusFor("b").draining);
  table_.SetServers(Servers(ids_));
  EXPECT_EQ(OwnerOf(of_a_), "a");
  EXPECT_FALSE(table_.StatusFor("b").draining);
}

TEST_F(OwnerTableTest, WhatIsSettledIsSettledForThisRunAndTermAlone) {
  HearBothSettled();
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
  // Gone from the directory and back: b may not have heard that this server owns rooms again.
  table_.SetServers(Servers({"b", "c"}));
  table_.SetServers(Servers(ids_));
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted);
  Hear("b", {.settled = true, .heard_incarnation = 1, .heard_term = 1});
  Hear("c", {.settled = true});
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted) << "b speaks of an earlier term";
  Hear("b", {.settled = true});
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
  table_.BeginAnew(2);
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted);
  HearBothSettled();
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
}

TEST_F(OwnerTableTest, ItSaysWhatItHasHeardOfWhomItTells) {
  Hear("b", {.incarnation = 7, .term = 3});
  EXPECT_EQ(table_.StatusFor("b").heard_incarnation, 7u);
  EXPECT_EQ(table_.StatusFor("b").heard_term, 3u);
  EXPECT_EQ(table_.StatusFor("c").heard_incarnation, 0u);
  const uint64_t term = table_.StatusFor("b").term;
  table_.Drain();
  EXPECT_GT(table_.StatusFor("b").term, term);
}

TEST_F(OwnerTableTest, OneThatIsLeavingIsNamedUntilItHoldsNothing) {
  HearBothSettled();
  const auto leaving = [this] {
    std::vector<std::string> ids;
    for (const ServerInfo& server : table_.StatusFor("c").leaving) ids.push_back(server.id);
    return ids;
  };
  EXPECT_THAT(leaving(), IsEmpty());
  table_.SetServers(Servers({"a", "c"}));
  EXPECT_THAT(leaving(), ElementsAre("b")) << "it has not read that yet";
  EXPECT_THAT(table_.StatusFor("b").leaving, IsEmpty());
  Hear("b", {.draining = true, .settled = false});
  EXPECT_THAT(leaving(), ElementsAre("b"));
  Hear("b", {.draining = true, .settled = true});
  EXPECT_THAT(leaving(), IsEmpty());
}

TEST_F(OwnerTableTest, OneThatIsLeavingIsHeardOutEvenIfItIsNews) {
  HearBothSettled();
  Hear("b", {.settled = true, .leaving = {Server("a"), Server("c")}});
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk) << "c is known here";
  EXPECT_EQ(table_.Known().size(), 2u);
  Hear("b", {.settled = true, .leaving = {Server("d")}});
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted) << "d may hold it";
  EXPECT_FALSE(table_.Clear());
  EXPECT_TRUE(table_.MayTake(of_a_).ok()) << "what is given is nowhere else";
  EXPECT_EQ(table_.Known().size(), 3u);
  Hear("d", {.draining = true, .settled = true});
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
  Hear("d", {.draining = true, .settled = false});
  table_.Lost("d");
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kOk);
  EXPECT_FALSE(table_.Knows("d"));
}

TEST_F(OwnerTableTest, TakesWhatIsItsOwnAlone) {
  Hear("b");
  EXPECT_TRUE(table_.MayTake(of_a_).ok());
  EXPECT_EQ(OwnerIn(table_.MayTake(of_b_then_a_)), "b");
  table_.Doubt();
  EXPECT_TRUE(absl::IsAborted(table_.MayTake(of_b_then_a_)));
  Hear("b");
  table_.SetServers(Servers({"a", "c"}));
  EXPECT_TRUE(absl::IsAborted(table_.MayTake(of_b_then_a_))) << "b takes it too";
  Hear("b", {.draining = true});
  EXPECT_TRUE(table_.MayTake(of_b_then_a_).ok());
}

TEST_F(OwnerTableTest, AfterAPauseEveryServerIsInDoubtUntilItIsHeardOfOrLost) {
  HearBothSettled();
  table_.Doubt();
  EXPECT_TRUE(table_.InDoubt());
  EXPECT_EQ(Claim(of_a_), absl::StatusCode::kAborted);
  Hear("b");
  EXPECT_TRUE(table_.InDoubt());
  EXPECT_FALSE(table_.MayHaveLostRooms());
  table_.Lost("c");
  EXPECT_FALSE(table_.InDoubt());
  EXPECT_TRUE(table_.MayHaveLostRooms()) << "nobody can ask c";

  table_.Doubt();
  Hear("b");
  table_.Lost("c");
  EXPECT_FALSE(table_.MayHaveLostRooms()) << "it was lost before";
}

TEST_F(OwnerTableTest, ADoubtOutlastsAChangeOfTheAddress) {
  HearBothSettled();
  table_.Doubt();
  Hear("c");
  table_.SetServers({Server("a"), Server("b", 9001), Server("c")});
  EXPECT_TRUE(table_.InDoubt());
}

TEST_F(OwnerTableTest, AServerOfAnotherVersionIsInNoDoubt) {
  table_.Foreign("b");
  table_.Lost("c");
  table_.Doubt();
  EXPECT_TRUE(table_.InDoubt());
  table_.Foreign("c");
  EXPECT_FALSE(table_.InDoubt());
}

TEST_F(OwnerTableTest, ALossThatAnotherHasSeenDuringThePauseMayHaveCostRooms) {
  struct Case {
    const char* name;
    PeerStatus before;
    PeerStatus after;
    bool lost;
  };
  for (const Case& c : {
           Case{"none", {.incarnation = 1, .times_lost = 2}, {.incarnation = 1, .times_lost = 2}, false},
           Case{"one more", {.incarnation = 1, .times_lost = 2}, {.incarnation = 1, .times_lost = 3}, true},
           Case{"a new run", {.incarnation = 1, .times_lost = 2}, {.incarnation = 2}, true},
           Case{"a new run, one",
                {.incarnation = 1, .times_lost = 2},
                {.incarnation = 2, .times_lost = 1},
                true},
       }) {
    Hear("b", c.before);
    Hear("c");
    table_.Doubt();
    EXPECT_FALSE(table_.MayHaveLostRooms()) << c.name;
    Hear("b", c.after);
    Hear("c");
    EXPECT_EQ(table_.MayHaveLostRooms(), c.lost) << c.name;
  }
  Hear("b", {.incarnation = 2, .times_lost = 9});
  table_.Doubt();
  EXPECT_FALSE(table_.MayHaveLostRooms()) << "each pause is a new question";
}

TEST_F(OwnerTableTest, RankKnowsNothingOfWhoIsHere) {
  EXPECT_TRUE(table_.Outranks("a", of_a_));
  EXPECT_FALSE(table_.Outranks("b", of_a_));
  EXPECT_TRUE(table_.Outranks("b", of_b_then_a_));
  table_.Lost("b");
  EXPECT_TRUE(table_.Outranks("b", of_b_then_a_));
}

}  // namespace
}  // namespace hubbub::chat
