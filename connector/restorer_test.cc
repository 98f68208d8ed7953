#include "connector/restorer.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/session/fake_session.h"

namespace hubbub::connector {
namespace {

using chat::v1::RestoredRoom;
using chat::v1::RestoreRequest;
using chat::v1::RestoreResponse;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kEpoch = 7;

// Chat servers that do as the test says: what they are asked waits to be answered.
class FakeChatServers final : public ChatServers {
 public:
  struct Server {
    uint64_t lease = 0;
    uint64_t incarnation = 0;
  };
  struct Call {
    std::string server;
    RestoreRequest request;
    Done done;
  };

  uint64_t LeaseAt(const std::string& server) const override {
    const auto at = servers.find(server);
    return at == servers.end() ? 0 : at->second.lease;
  }
  uint64_t IncarnationOf(const std::string& server) const override {
    const auto at = servers.find(server);
    return at == servers.end() ? 0 : at->second.incarnation;
  }
  std::string BestFor(const std::string&) const override { return LeaseAt(best) == 0 ? "" : best; }
  std::vector<std::string> Up() const override {
    std::vector<std::string> up;
    for (const auto& [id, server] : servers) {
      if (server.lease != 0) up.push_back(id);
    }
    return up;
  }
  void Restore(const std::string& server, RestoreRequest request, Done done) override {
    calls.push_back({server, std::move(request), std::move(done)});
  }
  void Kick(const std::string& server, const chat::v1::KickRequest& place) override {
    kicked.push_back(fmt::format("{} at {}", place.user(), server));
  }
  void Later(std::function<void()> then) override { later.push_back(std::move(then)); }

  std::map<std::string, Server> servers;
  std::string best;
  std::vector<Call> calls;
  std::vector<std::string> kicked;
  std::vector<std::function<void()>> later;
};

class Guest final : public LocalRooms::Owner {
 public:
  Guest(LocalRooms& rooms, Restorer& restorer, const SessionOptions& options, const std::string& user,
        uint64_t id)
      : rooms_(rooms), restorer_(restorer), session(rooms.loop(), options, id) {
    session.connection.Feed(from_client::Handshake());
    session.connection.Feed(from_client::Ack());
    session.connection.log.clear();
    membership.session = &*session;
    membership.user = user;
    membership.room = "lobby";
    membership.token = "token of " + user;
    membership.server = "chat-1";
    membership.lease = 11;
    membership.incarnation = 1;
    rooms_.Insert(membership, *this);
    rooms_.Joined(membership, kEpoch, 3);
  }
  ~Guest() override { Leave(); }
  void Leave() {
    if (!std::exchange(seated_, false)) return;
    restorer_.Depart(membership);
    rooms_.Erase(membership);
  }
  void OnEnded(Membership&, LocalRooms::End) override { Leave(); }

 private:
  LocalRooms& rooms_;
  Restorer& restorer_;
  bool seated_ = true;

 public:
  FakeSession session;
  Membership membership;
};

class RestorerTest : public ::testing::Test {
 protected:
  RestorerTest() {
    options_.contract = &contract_;
    encoder_.Use(WireFormat::kJson);
    servers_.servers = {{"chat-1", {11, 1}}, {"chat-2", {12, 2}}, {"chat-3", {13, 3}}};
    servers_.best = "chat-2";
    Do([&] {
      for (const auto& [id, server] : servers_.servers)
        restorer_.OnUp(id, server.incarnation, /*fresh=*/true);
    });
    // The first lease is told of at that server alone, and that nothing was held.
    Do([&] {
      EXPECT_THAT(servers_.calls, SizeIs(3));
      for (auto& call : std::exchange(servers_.calls, {})) {
        EXPECT_EQ(call.request.lost_server(), call.server);
        EXPECT_EQ(call.request.rooms_size(), 0);
        call.done(absl::OkStatus(), {});
      }
      ann_ = std::make_unique<Guest>(rooms_, restorer_, options_, "ann", 1);
      bob_ = std::make_unique<Guest>(rooms_, restorer_, options_, "bob", 2);
    });
  }
  ~RestorerTest() override {
    Do([&] {
      ann_.reset();
      bob_.reset();
    });
  }

  // On the loop, and then what was posted there.
  template <typename Step>
  void Do(Step step) {
    OnLoop(loops_.at(0), [&] { step(); });
    for (int i = 0; i < 2; ++i) OnLoop(loops_.at(0), [] {});
  }
  void Lose(const std::string& server) {
    Do([&] {
      servers_.servers[server].lease = 0;
      restorer_.OnLost(server);
    });
  }
  void ComeUp(const std::string& server, uint64_t lease, uint64_t incarnation) {
    Do([&] {
      const bool fresh = lease != leases_[server];
      leases_[server] = lease;
      servers_.servers[server] = {lease, incarnation};
      restorer_.OnUp(server, incarnation, fresh);
    });
  }
  void Move(const std::string& from, const std::string& to) {
    Do([&] {
      google::protobuf::RepeatedPtrField<chat::v1::Event> events;
      chat::v1::Event* const event = events.Add();
      event->set_room("lobby");
      event->set_epoch(kEpoch);
      event->mutable_moved()->set_server(to);
      rooms_.Deliver(std::make_shared<const Deliveries>(encoder_.Encode(events, from)));
    });
  }
  void RunLater() {
    Do([&] {
      for (const auto& then : std::exchange(servers_.later, {})) then();
    });
  }
  // The call to `server` with, or without, rooms; it is taken out.
  FakeChatServers::Call Take(const std::string& server, bool with_rooms = true) {
    for (auto call = servers_.calls.begin(); call != servers_.calls.end(); ++call) {
      if (call->server != server || (call->request.rooms_size() > 0) != with_rooms) continue;
      FakeChatServers::Call taken = std::move(*call);
      servers_.calls.erase(call);
      return taken;
    }
    ADD_FAILURE() << server << " was not asked";
    return {.server = {}, .request = {}, .done = [](const auto&, const auto&) {}};
  }
  // To a call with one room.
  void Answer(const FakeChatServers::Call& call, const RestoredRoom& room) {
    Do([&] {
      RestoreResponse response;
      *response.add_rooms() = room;
      call.done(absl::OkStatus(), response);
    });
  }
  void Fail(const FakeChatServers::Call& call, const absl::Status& status) {
    Do([&] { call.done(status, {}); });
  }
  static RestoredRoom Restored(uint64_t epoch = kEpoch + 1, uint64_t offset = 0) {
    RestoredRoom room;
    room.set_outcome(chat::v1::RESTORE_OUTCOME_RESTORED);
    room.set_recovered(true);
    room.set_epoch(epoch);
    room.set_offset(offset);
    return room;
  }
  static RestoredRoom Elsewhere(const std::string& owner) {
    RestoredRoom room;
    room.set_outcome(chat::v1::RESTORE_OUTCOME_ELSEWHERE);
    room.set_owner(owner);
    return room;
  }
  // Bob does, while his place is being restored.
  void LeaveAndComeBack(const std::string& token) {
    Lose("chat-1");
    const auto asked = Take("chat-2");
    Membership again;
    Do([&] {
      bob_->Leave();
      again.session = bob_->membership.session;
      again.user = "bob";
      again.room = "lobby";
      again.token = token;
      rooms_.Insert(again, *bob_);
    });
    Answer(asked, Restored());
    Do([&] { rooms_.Erase(again); });
  }
  std::vector<std::string> Asked() const {
    std::vector<std::string> asked;
    for (const auto& call : servers_.calls)
      asked.push_back(fmt::format("{} {}", call.server, call.request.rooms_size()));
    return asked;
  }
  void ExpectAt(const std::string& server, uint64_t lease) {
    for (const Guest* guest : {ann_.get(), bob_.get()}) {
      EXPECT_TRUE(guest->membership.joined);
      EXPECT_EQ(guest->membership.server, server);
      EXPECT_EQ(guest->membership.lease, lease);
    }
  }

  const ClientContract contract_{true, true, std::chrono::seconds(3)};
  SessionOptions options_;
  Encoder encoder_{contract_};
  FakeChatServers servers_;
  std::map<std::string, uint64_t> leases_{{"chat-1", 11}, {"chat-2", 12}, {"chat-3", 13}};
  net::Loops loops_{1};
  LocalRooms rooms_{loops_.at(0)};
  Restorer restorer_{{.part = 1, .parts = 2}, rooms_, encoder_, servers_};
  std::unique_ptr<Guest> ann_;
  std::unique_ptr<Guest> bob_;
};

TEST_F(RestorerTest, TellsEveryServerOfALossAndAsksTheBestForTheRooms) {
  Lose("chat-1");
  EXPECT_THAT(Asked(), UnorderedElementsAre("chat-2 1", "chat-3 0"));
  EXPECT_FALSE(ann_->membership.joined);
  const auto told = Take("chat-3", /*with_rooms=*/false);
  EXPECT_EQ(told.request.lost_server(), "chat-1");
  EXPECT_EQ(told.request.lost_incarnation(), 1u);
  EXPECT_EQ(told.request.part(), 1u);
  EXPECT_EQ(told.request.parts(), 2u);
  EXPECT_EQ(told.request.calls(), 1u);
  const auto asked = Take("chat-2");
  EXPECT_EQ(asked.request.lease(), 12u);
  const chat::v1::RoomPlaces& places = asked.request.rooms(0);
  EXPECT_EQ(places.room(), "lobby");
  EXPECT_EQ(places.epoch(), kEpoch);
  EXPECT_EQ(places.offset(), 3u);
  ASSERT_EQ(places.places_size(), 2) << "both in one call";
  EXPECT_EQ(places.places(0).token(), "token of ann");
  Answer(asked, Restored());
  ExpectAt("chat-2", 12);
  EXPECT_EQ(ann_->membership.epoch, kEpoch + 1);
  Do([&] { told.done(absl::OkStatus(), {}); });
  EXPECT_THAT(servers_.calls, IsEmpty());
  EXPECT_THAT(servers_.later, IsEmpty());
}

TEST_F(RestorerTest, GoesWhereItIsSent) {
  Lose("chat-1");
  Answer(Take("chat-2"), Elsewhere("chat-3"));
  Answer(Take("chat-3"), Restored());
  ExpectAt("chat-3", 13);
}

TEST_F(RestorerTest, AsksAgainAfterAMoment) {
  Lose("chat-1");
  RestoredRoom later;
  later.set_outcome(chat::v1::RESTORE_OUTCOME_LATER);
  Answer(Take("chat-2"), later);
  EXPECT_THAT(Asked(), ElementsAre("chat-3 0"));
  RunLater();
  Fail(Take("chat-2"), absl::UnavailableError("no answer"));
  RunLater();
  Answer(Take("chat-2"), Restored());
  ExpectAt("chat-2", 12);
}

TEST_F(RestorerTest, AServerThatHasNoticedNoLossIsToldAgainButNotForEver) {
  Lose("chat-1");
  Answer(Take("chat-2"), Restored());
  int told = 0;
  while (told < 1000 && !servers_.calls.empty()) {
    ++told;
    Fail(Take("chat-3", false), absl::FailedPreconditionError("it is not lost"));
    RunLater();
  }
  EXPECT_GT(told, 20);
  EXPECT_LT(told, 100);
}

TEST_F(RestorerTest, WhatIsBackWithAllThatItHeldGivesThePlacesBackItself) {
  Lose("chat-1");
  Fail(Take("chat-2"), absl::FailedPreconditionError("it is not lost"));
  ComeUp("chat-1", 11, 1);
  RunLater();
  const auto asked = Take("chat-1");
  EXPECT_EQ(asked.request.rooms(0).places_size(), 2);
  Answer(asked, Restored(kEpoch, 3));
  ExpectAt("chat-1", 11);
}

TEST_F(RestorerTest, ARestartedServerHasLostAllAndEverybodyIsTold) {
  ComeUp("chat-1", 21, 9);
  EXPECT_THAT(Asked(), UnorderedElementsAre("chat-1 0", "chat-2 1", "chat-3 0"));
  const auto asked = Take("chat-2");
  EXPECT_EQ(asked.request.lost_server(), "chat-1");
  EXPECT_EQ(asked.request.lost_incarnation(), 1u) << "the run that held the rooms";
  Answer(asked, Restored());
  ExpectAt("chat-2", 12);
}

TEST_F(RestorerTest, AServerThatGaveUpOnThisConnectorStillHasTheRooms) {
  ComeUp("chat-1", 21, 1);
  EXPECT_THAT(Asked(), ElementsAre("chat-1 1")) << "nothing was lost";
  const auto asked = Take("chat-1");
  EXPECT_EQ(asked.request.lost_server(), "");
  EXPECT_EQ(asked.request.lease(), 21u);
  Answer(asked, Restored(kEpoch, 3));
  ExpectAt("chat-1", 21);
}

TEST_F(RestorerTest, AMovedRoomIsRestoredWhereItWent) {
  Move("chat-1", "chat-3");
  const auto asked = Take("chat-3");
  EXPECT_EQ(asked.request.lost_server(), "");
  Answer(asked, Restored(kEpoch, 3));
  ExpectAt("chat-3", 13);
  EXPECT_EQ(ann_->membership.epoch, kEpoch);
}

TEST_F(RestorerTest, AServerThatIsTooNewToBeKnownIsWaitedFor) {
  Move("chat-1", "chat-4");
  EXPECT_THAT(servers_.calls, IsEmpty());
  RunLater();
  EXPECT_THAT(servers_.calls, IsEmpty());
  ComeUp("chat-4", 14, 4);
  RunLater();
  Answer(Take("chat-4"), Restored(kEpoch, 3));
  ExpectAt("chat-4", 14);
}

TEST_F(RestorerTest, ARoomThatWentToAServerThatIsLostThenIsLostWithIt) {
  Move("chat-1", "chat-3");
  const auto under_way = Take("chat-3");
  Lose("chat-3");
  Fail(under_way, absl::UnavailableError("gone"));
  RunLater();
  // The one that gave the room away has it no more: the best is asked, and says who has it.
  while (!servers_.calls.empty()) {
    auto call = std::move(servers_.calls.front());
    servers_.calls.erase(servers_.calls.begin());
    if (call.request.rooms_size() > 0) {
      Answer(call, Restored());
    } else {
      Do([&] { call.done(absl::OkStatus(), {}); });
    }
  }
  for (int i = 0; i < 3 && !ann_->membership.joined; ++i) {
    RunLater();
    for (auto& call : std::exchange(servers_.calls, {})) {
      if (call.request.rooms_size() > 0) Answer(call, Restored());
    }
  }
  ExpectAt("chat-2", 12);
}

TEST_F(RestorerTest, WhoeverLeavesMeanwhileIsTakenOutAtTheEnd) {
  Lose("chat-1");
  const auto asked = Take("chat-2");
  Do([&] { bob_->Leave(); });
  Answer(asked, Restored());
  EXPECT_TRUE(ann_->membership.joined);
  EXPECT_THAT(servers_.kicked, ElementsAre("bob at chat-2"));
}

TEST_F(RestorerTest, WhoeverLeavesAndComesBackMeanwhileStays) {
  LeaveAndComeBack("token of bob");
  EXPECT_THAT(servers_.kicked, IsEmpty());
}

TEST_F(RestorerTest, APlaceOfAnEarlierStayDoesNotKeepTheNextOneOut) {
  LeaveAndComeBack("another token");
  EXPECT_THAT(servers_.kicked, ElementsAre("bob at chat-2"));
}

TEST_F(RestorerTest, APlaceThatSomebodyElseHasEndsItsSession) {
  Lose("chat-1");
  RestoredRoom restored = Restored();
  restored.add_replaced(1);
  Answer(Take("chat-2"), restored);
  EXPECT_TRUE(ann_->membership.joined);
  EXPECT_FALSE(bob_->membership.joined);
  EXPECT_THAT(bob_->session.connection.log, Contains("kick {\"reason\":\"replaced\"}"));
}

TEST_F(RestorerTest, WhoeverCanNotBeToldWhatWasMissedIsSentAway) {
  Lose("chat-1");
  RestoredRoom restored = Restored();
  restored.set_recovered(false);
  Answer(Take("chat-2"), restored);
  EXPECT_THAT(ann_->session.connection.log, Contains("kick {\"reason\":\"reconnect\"}"));
}

TEST_F(RestorerTest, WhatWasGivenByAServerThatIsLostAgainIsAskedForElsewhere) {
  Lose("chat-1");
  const auto asked = Take("chat-2");
  servers_.best = "chat-3";
  Lose("chat-2");
  // Its answer was under way.
  Answer(asked, Restored());
  EXPECT_FALSE(ann_->membership.joined);
  const auto again = Take("chat-3");
  EXPECT_EQ(again.request.lost_server(), "chat-2");
  EXPECT_EQ(again.request.rooms(0).epoch(), kEpoch + 1);
  Answer(again, Restored(kEpoch + 2));
  ExpectAt("chat-3", 13);
}

TEST_F(RestorerTest, AServerThatComesLaterIsToldTheLossesThatAreKnown) {
  Lose("chat-1");
  Answer(Take("chat-2"), Restored());
  Do([&] { Take("chat-3", false).done(absl::OkStatus(), {}); });
  ComeUp("chat-4", 14, 4);
  std::vector<std::string> told;
  for (const auto& call : servers_.calls) {
    EXPECT_EQ(call.server, "chat-4");
    told.push_back(call.request.lost_server());
  }
  EXPECT_THAT(told, UnorderedElementsAre("chat-4", "chat-1"));
}

TEST_F(RestorerTest, APlaceUnderALeaseThatIsNoMoreIsRestored) {
  ComeUp("chat-1", 21, 1);
  Answer(Take("chat-1"), Restored(kEpoch, 3));
  Do([&] {
    ann_->membership.lease = 11;  // As when the answer to Add comes after the new lease.
    restorer_.CheckLease(ann_->membership);
    restorer_.CheckLease(bob_->membership);
  });
  EXPECT_TRUE(bob_->membership.joined);
  const auto asked = Take("chat-1");
  EXPECT_EQ(asked.request.rooms(0).places_size(), 1);
  Answer(asked, Restored(kEpoch, 3));
  ExpectAt("chat-1", 21);
}

}  // namespace
}  // namespace hubbub::connector
