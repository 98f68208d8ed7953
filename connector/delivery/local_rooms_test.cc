#include "connector/delivery/local_rooms.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/delivery/encoder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::connector {
namespace {

using chat::v1::Event;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kEpoch = 7;
constexpr std::string_view kOffset = "\"offset\":";

// A user with a session, who may sit in one room. As ChatSession does, it leaves the room when its end is
// told.
class Guest final {
 public:
  Guest(LocalRooms& rooms, const client::PomeloOptions& options, const std::string& user, uint64_t id,
        std::string_view type = "", bool framed = false)
      : rooms_(rooms), user_(user), session(rooms.loop(), options, id, framed) {
    session.connection.Feed(client::from_client::Handshake(type), framed);
    session.connection.Feed(client::from_client::Ack(), framed);
    session.connection.log.clear();
    session.connection.payloads.clear();
  }
  ~Guest() {
    if (place != nullptr) Leave();
  }
  void Enter(const std::string& room, const std::string& server = "chat-1") {
    place = std::make_shared<Membership>(Membership::Who{.room = room, .user = user_}, *session,
                                         [this](Membership&, Membership::End end) {
                                           ends.push_back(end);
                                           Leave();
                                         });
    place->Asked({.server = server});
    rooms_.Insert(*place);
  }
  void Enter(const std::string& room, uint64_t offset, const std::string& server = "chat-1") {
    Enter(room, server);
    rooms_.Joined(*place, {kEpoch, offset});
  }
  void Leave() {
    if (place->left()) return;
    place->Leave();
    rooms_.Erase(*place);
  }

  // What the client saw: the route and what tells one event from the others, such as "onChat 3".
  std::vector<std::string> Seen() const {
    std::vector<std::string> seen;
    for (const std::string& line : session.connection.log) {
      std::string& one = seen.emplace_back(line.substr(5, line.find(' ', 5) - 5));
      const char* before = " ";
      // A gap has two.
      for (size_t at = line.find(kOffset); at != std::string::npos; at = line.find(kOffset, at + 1)) {
        one += before + std::to_string(std::stoull(line.substr(at + kOffset.size())));
        before = " to ";
      }
    }
    return seen;
  }

 private:
  LocalRooms& rooms_;
  const std::string user_;

 public:
  client::FakeSession session;
  std::shared_ptr<Membership> place;  // Null before Enter.
  std::vector<Membership::End> ends;
};

class LocalRoomsTest : public ::testing::Test {
 protected:
  LocalRoomsTest() {
    options_.contract = &contract_;
    options_.pushes = &pushes_;
    encoder_.Use(pushes_.Of(client::WireFormat::kJson, net::Framing::kNone));
  }

  template <typename Test>
  void Run(Test test) {
    client::OnLoop(loops_.at(0), [&] { test(); });
  }

  Event& Add(uint64_t offset, const std::string& room = "lobby") {
    Event* event = events_.Add();
    event->set_room(room);
    event->set_epoch(kEpoch);
    event->set_offset(offset);
    return *event;
  }
  void Say(uint64_t offset, const std::string& target = "*", const std::string& room = "lobby") {
    auto& message = *Add(offset, room).mutable_message();
    message.set_from("ann");
    message.set_target(target);
    message.set_content("hi");
  }
  // Delivers what was added since the last time, as one batch.
  void Deliver(const std::string& source = "chat-1") {
    const auto batch = std::make_shared<const Deliveries>(encoder_.Encode(events_, source));
    events_.Clear();
    rooms_.Deliver(batch);
  }

  const client::ClientContract contract_{true, true, std::chrono::seconds(3)};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  client::PomeloOptions options_;
  Encoder encoder_{encodings_};
  net::Loops loops_{1};
  LocalRooms rooms_{loops_.at(0)};
  google::protobuf::RepeatedPtrField<Event> events_;
};

TEST_F(LocalRoomsTest, EventsReachTheMembersOfTheirRoomAlone) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2), cid(rooms_, options_, "cid", 3);
    ann.Enter("lobby", 0);
    bob.Enter("lobby", 0);
    cid.Enter("attic", 0);
    Say(1);
    Say(2);
    Say(1, "*", "attic");
    Say(1, "*", "cellar");
    Deliver();
    EXPECT_THAT(ann.Seen(), ElementsAre("onChat 1", "onChat 2"));
    EXPECT_THAT(bob.Seen(), ElementsAre("onChat 1", "onChat 2"));
    EXPECT_THAT(cid.Seen(), ElementsAre("onChat 1"));
  });
}

TEST_F(LocalRoomsTest, AMemberWhoIsFarBehindIsToldWhatWasLeftOut) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2);
    ann.Enter("lobby", 0);
    bob.Enter("lobby", 0);
    Say(1);
    Deliver();
    ann.session.connection.behind = ann.session.connection.stalled = true;
    Say(2);
    Say(3);
    Say(4, "bob");
    Deliver();
    ann.session.connection.behind = false;
    Say(5);
    Deliver();
    rooms_.TellGap(*ann.place);
    EXPECT_THAT(ann.Seen(), ElementsAre("onChat 1")) << "until it has taken nearly all";
    EXPECT_EQ(rooms_.skipped(), 3u);

    ann.session.connection.stalled = false;
    ann.session.connection.log.clear();
    Say(6);
    Deliver();
    const std::string gap =
        R"(push onGap {"rid":"lobby","since":{"epoch":7,"offset":1},"until":{"epoch":7,"offset":5}})";
    ASSERT_EQ(ann.session.connection.log.size(), 2u);
    EXPECT_EQ(ann.session.connection.log.front(), gap);
    rooms_.TellGap(*ann.place);
    EXPECT_EQ(ann.session.connection.log.size(), 2u) << "told once";

    ann.session.connection.behind = true;
    Say(7);
    Deliver();
    ann.session.connection.behind = false;
    ann.session.connection.log.clear();
    rooms_.TellGap(*ann.place);
    EXPECT_EQ(ann.session.connection.log.size(), 1u) << "also when nobody says anything more";
    EXPECT_THAT(bob.Seen(), ElementsAre("onChat 1", "onChat 2", "onChat 3", "onChat 4", "onChat 5",
                                        "onChat 6", "onChat 7"));
  });
}

// A client that follows offsets takes one for all before it: by the time it has one that is behind a gap, it
// has to know of the gap.
TEST_F(LocalRoomsTest, AGapIsToldBeforeWhateverCarriesALaterOffset) {
  struct Case {
    const char* name;
    // Tells ann something behind the gap.
    std::function<void(Guest& ann)> happen;
    std::vector<std::string> seen;  // Onwards from the gap.
  };
  const std::string told = "onGap 1 to 3";
  const auto change = [this] {
    Event& event = Add(0);
    event.set_life(70);
    event.set_change(1);
    return &event;
  };
  const auto restore = [this](Guest& ann, uint64_t epoch) {
    for (Event& event : events_) event.set_epoch(epoch);
    ann.place->BeginRestore();
    const Deliveries missed = encoder_.Encode(events_);
    events_.Clear();
    rooms_.Restored(*ann.place, missed, {.epoch = epoch, .offset = 9, .life = 70});
  };
  const std::vector<Case> cases = {
      {"a message for it alone", [&](Guest&) { Say(4, "ann"); }, {told, "onChat 4"}},
      {"a message for another one", [&](Guest&) { Say(4, "bob"); }, {}},
      {"somebody comes", [&](Guest&) { Add(4).mutable_joined()->set_user("cid"); }, {told, "onAdd 4"}},
      {"somebody goes", [&](Guest&) { Add(4).mutable_left()->set_user("cid"); }, {told, "onLeave 4"}},
      {"it is put out", [&](Guest&) { Add(4).mutable_left()->set_user("ann"); }, {told, "onLeave 4"}},
      {"somebody comes, without an offset",
       [&](Guest&) { change()->mutable_joined()->set_user("cid"); },
       {"onAdd"}},
      {"it is put out, without an offset",
       [&](Guest&) { change()->mutable_left()->set_user("ann"); },
       {told, "onLeave"}},
      {"a session takes its place, and shows where it was",
       [&](Guest&) {
         auto& replaced = *Add(0).mutable_replaced();
         replaced.set_user("ann");
         replaced.set_session(1);
       },
       {}},
      {"a restore in the same life",
       [&](Guest& ann) {
         Say(4, "ann");
         restore(ann, kEpoch);
       },
       {told, "onChat 4"}},
      {"a restore in a new life",
       [&](Guest& ann) {
         Say(2, "ann");
         restore(ann, kEpoch + 1);
       },
       {"onGap 1 to 0", "onChat 2"}},
      {"several of a batch, and messages in between",
       [&](Guest&) {
         Say(4, "ann");
         Say(5, "ann");
         Say(6);
         Say(7, "ann");
       },
       {told, "onChat 4", "onChat 5", "onGap 5 to 6", "onChat 7"}},
      {"it leaves", [&](Guest& ann) { rooms_.TellGapNow(*ann.place); }, {told}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    Run([&] {
      Guest ann(rooms_, options_, "ann", 1);
      ann.Enter("lobby");
      rooms_.Joined(*ann.place, {.epoch = kEpoch, .offset = 0, .life = 70});
      Say(1);
      Deliver();
      ann.session.connection.behind = ann.session.connection.stalled = true;
      Say(2);
      Say(3);
      Deliver();
      EXPECT_THAT(ann.Seen(), ElementsAre("onChat 1"));
      ann.session.connection.log.clear();
      one.happen(ann);
      Deliver();
      EXPECT_EQ(ann.Seen(), one.seen);
    });
  }
}

TEST_F(LocalRoomsTest, MembersShareTheBytes) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2);
    ann.Enter("lobby", 0);
    bob.Enter("lobby", 0);
    Say(1);
    Say(2);
    Deliver();
    ASSERT_EQ(ann.session.connection.payloads.size(), 1u) << "a run is one write";
    ASSERT_EQ(bob.session.connection.payloads.size(), 1u);
    EXPECT_EQ(ann.session.connection.payloads[0], bob.session.connection.payloads[0]);
  });
}

TEST_F(LocalRoomsTest, AJoinerDoesNotSeeItself) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2);
    ann.Enter("lobby", 0);
    bob.Enter("lobby", 0);
    Add(1).mutable_joined()->set_user("bob");
    Deliver();
    EXPECT_THAT(ann.Seen(), ElementsAre("onAdd 1"));
    EXPECT_THAT(bob.Seen(), IsEmpty());
    EXPECT_EQ(bob.place->seen().offset, 1u) << "but it has happened";
  });
}

TEST_F(LocalRoomsTest, AMessageToOneReachesAllSessionsOfThatUserAlone) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2), again(rooms_, options_, "bob", 3);
    for (Guest* guest : {&ann, &bob, &again}) guest->Enter("lobby", 0);
    Say(1, "bob");
    Say(2);
    Deliver();
    EXPECT_THAT(ann.Seen(), ElementsAre("onChat 2"));
    EXPECT_THAT(bob.Seen(), ElementsAre("onChat 1", "onChat 2"));
    EXPECT_THAT(again.Seen(), ElementsAre("onChat 1", "onChat 2"));
  });
}

TEST_F(LocalRoomsTest, LeftEndsThePlaceOfItsUser) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2), again(rooms_, options_, "bob", 3);
    for (Guest* guest : {&ann, &bob, &again}) guest->Enter("lobby", 0);
    Add(1).mutable_left()->set_user("bob");
    Say(2);
    Deliver();
    EXPECT_THAT(ann.Seen(), ElementsAre("onLeave 1", "onChat 2"));
    for (const Guest* guest : {&bob, &again}) {
      EXPECT_THAT(guest->Seen(), ElementsAre("onLeave 1"));
      EXPECT_THAT(guest->ends, ElementsAre(Membership::End::kLeft));
    }
    EXPECT_THAT(ann.ends, IsEmpty());
  });
}

TEST_F(LocalRoomsTest, ReplacedEndsThePlaceOfItsSession) {
  Run([&] {
    Guest bob(rooms_, options_, "bob", 2), again(rooms_, options_, "bob", 3);
    bob.Enter("lobby", 0);
    again.Enter("lobby", 0);
    auto& replaced = *Add(0).mutable_replaced();
    replaced.set_user("bob");
    replaced.set_session(2);
    Say(1);
    Deliver();
    EXPECT_THAT(bob.Seen(), IsEmpty());
    EXPECT_THAT(bob.ends, ElementsAre(Membership::End::kReplaced));
    EXPECT_THAT(again.Seen(), ElementsAre("onChat 1"));
    EXPECT_THAT(again.ends, IsEmpty());
  });
}

TEST_F(LocalRoomsTest, EventsWaitForTheAnswerToAdd) {
  Run([&] {
    Guest bob(rooms_, options_, "bob", 2);
    bob.Enter("lobby");
    // 3 is the last event before its place, 4 the first after; the run straddles both.
    for (const uint64_t offset : {2, 3, 4}) Say(offset);
    Deliver();
    Say(5, "ann");
    Say(6);
    Deliver();
    EXPECT_THAT(bob.Seen(), IsEmpty());
    rooms_.Joined(*bob.place, {kEpoch, 3});
    EXPECT_THAT(bob.Seen(), ElementsAre("onChat 4", "onChat 6"));
    Say(7);
    Deliver();
    EXPECT_THAT(bob.Seen(), ElementsAre("onChat 4", "onChat 6", "onChat 7"));
  });
}

TEST_F(LocalRoomsTest, AnEndThatWaitsEndsThePlaceWhenItIsThere) {
  Run([&] {
    Guest bob(rooms_, options_, "bob", 2);
    bob.Enter("lobby");
    Add(2).mutable_left()->set_user("bob");  // An earlier stay of this user.
    Add(4).mutable_left()->set_user("bob");
    Say(5);
    Deliver();
    rooms_.Joined(*bob.place, {kEpoch, 3});
    EXPECT_THAT(bob.Seen(), ElementsAre("onLeave 4"));
    EXPECT_THAT(bob.ends, ElementsAre(Membership::End::kLeft));
  });
}

TEST_F(LocalRoomsTest, NothingIsShownTwiceNorOfAnotherLife) {
  Run([&] {
    Guest bob(rooms_, options_, "bob", 2);
    bob.Enter("lobby", 5);
    Say(5);
    Say(6);
    Deliver();
    Say(6);
    Deliver();
    Say(9);
    events_[0].set_epoch(kEpoch + 1);
    Deliver();
    EXPECT_THAT(bob.Seen(), ElementsAre("onChat 6"));
  });
}

TEST_F(LocalRoomsTest, ASessionThatWaitsTooLongIsSentAway) {
  Run([&] {
    Guest bob(rooms_, options_, "bob", 2);
    bob.Enter("lobby");
    // Messages to one user are never merged.
    for (uint64_t offset = 1; offset <= Membership::kMaxHeld; ++offset) Say(offset, "ann");
    Deliver();
    EXPECT_FALSE(bob.session.connection.closed);
    Say(Membership::kMaxHeld + 1, "ann");
    Deliver();
    EXPECT_TRUE(bob.session.connection.closed);
    const size_t held = bob.place->held();
    Say(Membership::kMaxHeld + 2, "ann");
    Deliver();
    EXPECT_EQ(bob.place->held(), held) << "nothing more is kept for it";
  });
}

TEST_F(LocalRoomsTest, EachClientGetsItsFormat) {
  encoder_.Use(pushes_.Of(client::WireFormat::kProtobufCesu8, net::Framing::kNone));
  Run([&] {
    Guest web(rooms_, options_, "ann", 1), js(rooms_, options_, "bob", 2, "js-websocket");
    web.Enter("lobby", 0);
    js.Enter("lobby", 0);
    Say(1);
    Deliver();
    ASSERT_EQ(js.session.connection.payloads.size(), 1u);
    EXPECT_NE(*web.session.connection.payloads.at(0), *js.session.connection.payloads.at(0));
    EXPECT_THAT(js.session.connection.log, ElementsAre(::testing::StartsWith("push onChat \x0a\x02hi")));
  });
}

TEST_F(LocalRoomsTest, AWebSocketGetsAFrameForEachEventAndTcpNone) {
  encoder_.Use(pushes_.Of(client::WireFormat::kJson, net::Framing::kBinary));
  Run([&] {
    Guest tcp(rooms_, options_, "ann", 1), ws(rooms_, options_, "bob", 2, "", /*framed=*/true),
        late(rooms_, options_, "cid", 3, "", /*framed=*/true);
    tcp.Enter("lobby", 0);
    ws.Enter("lobby", 0);
    late.Enter("lobby", 1);
    for (uint64_t offset = 1; offset <= 3; ++offset) Say(offset);
    Deliver();
    // The connections say what is no frame, or no package.
    EXPECT_THAT(tcp.Seen(), ElementsAre("onChat 1", "onChat 2", "onChat 3"));
    EXPECT_EQ(ws.Seen(), tcp.Seen());
    EXPECT_THAT(late.Seen(), ElementsAre("onChat 2", "onChat 3"));
    EXPECT_EQ(ws.session.connection.payloads.size(), 1u) << "one buffer for all";
  });
}

TEST_F(LocalRoomsTest, ARoomThatMovesTellsTheMembersWhoAreThereAndKeepsWhatFollowsForLater) {
  std::vector<std::string> moved;
  rooms_.SetOnMoved([&](Membership& membership, const std::string& server) {
    moved.push_back(membership.user() + " to " + server);
    membership.BeginRestore();
  });
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), other(rooms_, options_, "bob", 2),
        late(rooms_, options_, "cid", 3);
    ann.Enter("lobby", 0);
    other.Enter("lobby", 0, "chat-2");
    late.Enter("lobby");
    Say(1);
    Add(0).mutable_moved()->set_server("chat-2");
    Deliver("chat-1");
    Say(2);
    Deliver("chat-2");
    EXPECT_THAT(moved, ElementsAre("ann to chat-2")) << "a session that is there already stays";
    EXPECT_THAT(ann.Seen(), ElementsAre("onChat 1"));
    EXPECT_THAT(other.Seen(), ElementsAre("onChat 2")) << "what its own chat server tells";

    rooms_.Joined(*late.place, {kEpoch, 0});
    EXPECT_THAT(moved, ElementsAre("ann to chat-2", "cid to chat-2")) << "told when its place was there";
    EXPECT_THAT(late.Seen(), ElementsAre("onChat 1"));
    for (Guest* guest : {&ann, &late}) {
      guest->place->Asked({.server = "chat-2"});
      rooms_.Joined(*guest->place, {kEpoch, 1});
      EXPECT_THAT(guest->Seen(), ElementsAre("onChat 1", "onChat 2"));
    }
  });
}

TEST_F(LocalRoomsTest, WhatAnotherChatServerTellsOfTheRoomIsNotShown) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2);
    ann.Enter("lobby", 0, "chat-1");
    bob.Enter("lobby", 2, "chat-2");
    // The room's next owner speaks before the last words of the one before have come.
    Say(3);
    Deliver("chat-2");
    Say(1);
    Say(2);
    Deliver("chat-1");
    EXPECT_THAT(ann.Seen(), ElementsAre("onChat 1", "onChat 2"));
    EXPECT_THAT(bob.Seen(), ElementsAre("onChat 3"));
  });
}

TEST_F(LocalRoomsTest, ComingsAndGoingsThatAreNumberedApartHaveALifeOfTheirOwn) {
  Run([&] {
    const auto change = [&](uint64_t life, uint64_t number, const std::string& user) {
      Event& event = Add(0);
      event.set_life(life);
      event.set_change(number);
      event.mutable_joined()->set_user(user);
    };
    Guest ann(rooms_, options_, "ann", 1);
    ann.Enter("lobby");
    rooms_.Joined(*ann.place, {.epoch = kEpoch, .offset = 5, .life = 70, .change = 2});
    change(70, 2, "old");
    change(69, 9, "other life");
    change(70, 3, "bob");
    Say(6);
    change(70, 4, "cid");
    Deliver();
    EXPECT_EQ(ann.Seen().size(), 3u);
    EXPECT_EQ(ann.place->seen(), (RoomPoint{.epoch = kEpoch, .offset = 6, .life = 70, .change = 4}));

    ann.place->BeginRestore();
    change(71, 1, "dan");
    const Deliveries missed = encoder_.Encode(events_);
    events_.Clear();
    rooms_.Restored(*ann.place, missed, {.epoch = kEpoch, .offset = 6, .life = 71, .change = 1});
    EXPECT_EQ(ann.Seen().size(), 4u) << "those of the new life are shown from its begin";
    EXPECT_EQ(ann.place->seen(), (RoomPoint{.epoch = kEpoch, .offset = 6, .life = 71, .change = 1}));
  });
}

TEST_F(LocalRoomsTest, ARestoredSessionSeesWhatItMissedFirst) {
  Run([&] {
    Guest ann(rooms_, options_, "ann", 1);
    ann.Enter("lobby", 3);
    ann.place->BeginRestore();
    // Of the life that it knows: one that it has seen, one that it has not; of the new one, all.
    Say(3);
    Say(4);
    Add(5).mutable_left()->set_user("ann");
    Add(1).mutable_joined()->set_user("ann");
    Say(2);
    for (int i = 3; i < 5; ++i) events_[i].set_epoch(kEpoch + 1);
    const Deliveries missed = encoder_.Encode(events_);
    events_.Clear();
    Say(2);
    Say(3);
    for (Event& event : events_) event.set_epoch(kEpoch + 1);
    Deliver();
    rooms_.Restored(*ann.place, missed, {kEpoch + 1, 2});
    EXPECT_THAT(ann.Seen(), ElementsAre("onChat 4", "onChat 2", "onChat 3"));
    EXPECT_TRUE(ann.place->joined());
  });
}

TEST_F(LocalRoomsTest, TheLastEventsOfARoomAreKnownWhileSomebodyIsThere) {
  Run([&] {
    EXPECT_EQ(rooms_.LastEventsOf("lobby"), nullptr);
    Guest ann(rooms_, options_, "ann", 1);
    ann.Enter("lobby", 0);
    for (uint64_t offset = 1; offset <= 100; ++offset) Say(offset);
    Deliver();
    Say(100);
    Deliver();
    const LastEvents* const last = rooms_.LastEventsOf("lobby");
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(last->events().back().event->offset(), 100u);
    EXPECT_LE(last->events().size(), 64u);
    for (size_t i = 1; i < last->events().size(); ++i)
      EXPECT_EQ(last->events()[i].event->offset(), last->events()[i - 1].event->offset() + 1);
  });
}

TEST_F(LocalRoomsTest, LeavingOneKeepsTheOthers) {
  Run([&] {
    std::vector<std::unique_ptr<Guest>> guests;
    for (uint64_t id = 1; id <= 5; ++id) {
      guests.push_back(std::make_unique<Guest>(rooms_, options_, "user-" + std::to_string(id), id));
      guests.back()->Enter("lobby", 0);
    }
    guests.erase(guests.begin() + 1);
    guests.erase(guests.begin());
    guests.pop_back();
    Say(1);
    Deliver();
    for (const auto& guest : guests) EXPECT_THAT(guest->Seen(), ElementsAre("onChat 1"));
  });
}

TEST_F(LocalRoomsTest, CountsPlacesAndEventsGivenToClients) {
  Run([&] {
    {
      Guest ann(rooms_, options_, "ann", 1), bob(rooms_, options_, "bob", 2);
      ann.Enter("lobby", 0);
      bob.Enter("lobby");
      EXPECT_EQ(rooms_.places(), 2u) << "a place on its way counts";
      Say(1);
      Say(2);
      Say(3, "ann");
      Deliver();
      EXPECT_EQ(rooms_.deliveries(), 3u);
      // The answer to Add is of the middle of the run.
      rooms_.Joined(*bob.place, {kEpoch, 1});
      EXPECT_EQ(rooms_.deliveries(), 4u);
      Deliver();
      EXPECT_EQ(rooms_.deliveries(), 4u);
    }
    EXPECT_EQ(rooms_.places(), 0u);
  });
}

}  // namespace
}  // namespace hubbub::connector
