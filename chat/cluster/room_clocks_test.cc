// What a jump of a machine's time, its suspend, and machines with different times do to rooms.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/cluster/pause_fence.h"
#include "chat/connectors/room_proto.h"
#include "chat/rooms/room_table.h"
#include "chat/testing/fake_subscriber.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kMaxAge = RecentEvents::Limits{}.max_age_ms;

// A chat server's rooms on a machine of their own.
struct Machine {
  explicit Machine(int64_t steady, int64_t system) : steady_ms(steady), system_ms(system) {}

  RoomTable::Options Options() {
    RoomTable::Options options;
    options.now_ms = [this] { return steady_ms; };
    options.room.shown_ms = [this] { return system_ms; };
    return options;
  }
  // Time passes, and may be slept through.
  void Pass(int64_t ms) {
    steady_ms += ms;
    system_ms += ms;
    rooms.Sweep(steady_ms);
  }
  // Somebody sets the machine's time.
  void Jump(int64_t ms) {
    system_ms += ms;
    rooms.Sweep(steady_ms);
  }
  SendResult Say(const std::string& text, const std::string& id = "") {
    return *rooms.Send("lobby", "ann", kEverybody, text, id);
  }
  // Gives the room to another machine as the wire carries it.
  void GiveTo(Machine& other, const std::vector<SubscriberPtr>& subscribers) {
    v1::RoomState proto;
    ToProto(*rooms.moves().Freeze("lobby"), steady_ms, &proto);
    ASSERT_TRUE(other.rooms.moves().Import(FromProto(proto, other.steady_ms), subscribers).ok());
    rooms.moves().Moved("lobby", "other");
  }

  int64_t steady_ms;
  int64_t system_ms;
  RoomTable rooms{Options()};
};

class RoomClocksTest : public ::testing::Test {
 protected:
  RoomClocksTest() { Enter(here_); }
  void Enter(Machine& machine) const {
    EXPECT_TRUE(machine.rooms.Add("lobby", "ann", {ann_, 1, "token of ann"}, "").ok());
  }
  // What somebody who has seen `offset` gets of what came after it; -1 if that cannot be had.
  static int Recovered(Machine& machine, uint64_t epoch, uint64_t offset) {
    const auto at = std::make_shared<FakeSubscriber>(9);
    const auto back = machine.rooms.Add("lobby", "bob", {at, 1, "b"}, "", SeenPoint{epoch, offset});
    EXPECT_TRUE(machine.rooms.Kick("lobby", "bob").ok());
    return back->missed ? static_cast<int>(back->missed->size()) : -1;
  }

  const std::shared_ptr<FakeSubscriber> ann_ = std::make_shared<FakeSubscriber>(1);
  Machine here_{/*steady=*/1'000'000, /*system=*/1'700'000'000'000};
  // Started long before, and its time is five minutes behind.
  Machine there_{/*steady=*/900'000'000, /*system=*/1'700'000'000'000 - 5 * kMinute};
};

TEST_F(RoomClocksTest, AJumpOfTheTimeForgetsNothing) {
  for (const int64_t jump : {10 * kMinute, -10 * kMinute, -600 * kMinute, 6000 * kMinute}) {
    const SendResult sent = here_.Say("hi", std::to_string(jump));
    here_.Jump(jump);
    EXPECT_TRUE(here_.Say("hi", std::to_string(jump)).repeated) << jump;
    EXPECT_EQ(Recovered(here_, sent.epoch, sent.offset - 1), 1) << jump;
  }
}

TEST_F(RoomClocksTest, AJumpOfTheTimeKeepsNothingLonger) {
  const SendResult sent = here_.Say("hi", "n-1");
  here_.Jump(-60 * kMinute);
  here_.Pass(kMaxAge + 1);
  EXPECT_EQ(here_.rooms.recent_bytes(), 0u);
  EXPECT_EQ(Recovered(here_, sent.epoch, sent.offset - 1), -1);
  EXPECT_FALSE(here_.Say("hi", "n-1").repeated);
  ASSERT_TRUE(here_.rooms.Kick("lobby", "ann").ok());
  here_.Jump(-60 * kMinute);
  here_.Pass(kMaxAge + 1);
  EXPECT_EQ(here_.rooms.rooms(), 0u) << "an idle room ends";
}

TEST_F(RoomClocksTest, TheTimeThatPeopleAreShownNeverGoesBack) {
  const int64_t first = here_.Say("one").time_ms;
  EXPECT_EQ(first, here_.system_ms);
  here_.Jump(-10 * kMinute);
  EXPECT_EQ(here_.Say("two", "n-2").time_ms, first);
  here_.Pass(kMinute);
  EXPECT_EQ(here_.Say("two", "n-2").time_ms, first) << "a repeated send is answered as it was";
  EXPECT_EQ(here_.Say("three").time_ms, first);
  here_.Jump(20 * kMinute);
  EXPECT_EQ(here_.Say("four").time_ms, here_.system_ms);
  here_.Jump(-10 * kMinute);
  // Events that are no events of the room too.
  EXPECT_TRUE(here_.rooms.Add("lobby", "ann", {ann_, 2, ""}, "token of ann").ok());
  EXPECT_TRUE(here_.rooms.moves().Freeze("lobby").has_value());
  here_.rooms.moves().Moved("lobby", "other");
  int64_t shown = 0;
  for (const EventPtr& event : ann_->Take()) {
    EXPECT_GE(event->time_ms, shown);
    shown = event->time_ms;
  }
}

TEST_F(RoomClocksTest, ARoomThatIsHandedOverKeepsTheAgesOfItsPast) {
  const SendResult old = here_.Say("old", "n-1");
  here_.Pass(kMaxAge - kMinute);
  here_.Say("new", "n-2");
  here_.GiveTo(there_, {ann_});
  there_.Pass(kMinute);
  EXPECT_TRUE(there_.Say("old", "n-1").repeated);
  EXPECT_EQ(Recovered(there_, old.epoch, old.offset - 1), 2);
  there_.Pass(1);
  EXPECT_FALSE(there_.Say("old", "n-1").repeated);
  EXPECT_EQ(Recovered(there_, old.epoch, old.offset - 1), -1);
  EXPECT_TRUE(there_.Say("new", "n-2").repeated);
  there_.Pass(kMaxAge);
  EXPECT_FALSE(there_.Say("new", "n-2").repeated);
}

TEST_F(RoomClocksTest, ARoomThatIsHandedOverShowsNoEarlierTime) {
  const int64_t shown = here_.Say("one").time_ms;
  here_.Pass(kMaxAge + 1);  // Nothing is kept of it but this.
  here_.GiveTo(there_, {ann_});
  EXPECT_EQ(there_.Say("two").time_ms, shown);
  there_.GiveTo(here_, {ann_});
  EXPECT_EQ(here_.Say("three").time_ms, here_.system_ms);
}

TEST_F(RoomClocksTest, ARoomThatMeetsAnotherLifeOfItselfShowsNoEarlierTimeThanEither) {
  Enter(there_);
  const int64_t shown = here_.Say("here").time_ms;
  EXPECT_LT(there_.Say("there").time_ms, shown);
  here_.GiveTo(there_, {ann_});
  EXPECT_EQ(there_.Say("both").time_ms, shown);
}

TEST_F(RoomClocksTest, ARoomThatIsRecoveredKeepsItsAgesAndShowsNoEarlierTime) {
  v1::RoomPlaces had;
  had.set_room("lobby");
  had.set_epoch(7);
  had.set_offset(4);
  had.set_time_ms(here_.system_ms);
  v1::RestoredPlace& place = *had.add_places();
  place.set_user("ann");
  place.set_session(1);
  place.set_token("token of ann");
  v1::Event& event = *had.add_recent_events();
  event.set_room("lobby");
  event.set_epoch(7);
  event.set_offset(4);
  event.set_time_ms(here_.system_ms - 3000);
  event.set_age_ms(9000);
  event.mutable_message()->set_from("ann");
  event.mutable_message()->set_target(kEverybody);
  event.mutable_message()->set_content("last words");
  event.mutable_message()->set_id("n-4");
  ASSERT_TRUE(there_.rooms.Recover("lobby", {ClaimOf(had, ann_, there_.steady_ms)}).ok());
  EXPECT_EQ(there_.Say("next").time_ms, here_.system_ms);
  there_.Pass(kMaxAge - 9000);
  const SendResult again = there_.Say("last words", "n-4");
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.time_ms, here_.system_ms - 3000);
  there_.Pass(1);
  EXPECT_FALSE(there_.Say("last words", "n-4").repeated);
}

// The fence's clock runs on in a suspend, and does not care about the time of day.
TEST(PauseFence, ASuspendClosesIt) {
  PauseFence fence(1'000);
  fence.Tick(1'500);
  EXPECT_TRUE(fence.open(2'500));
  EXPECT_FALSE(fence.open(1'500 + 10 * kMinute)) << "before anybody has noticed";
  EXPECT_TRUE(fence.Tick(1'500 + 10 * kMinute));
  EXPECT_FALSE(fence.open(1'501 + 10 * kMinute));
  fence.Open(1'501 + 10 * kMinute);
  EXPECT_TRUE(fence.open(1'502 + 10 * kMinute));
}

TEST_F(RoomClocksTest, NoAgeOfAnotherServerIsBelieved) {
  here_.Say("hi", "n-1");
  v1::RoomState proto;
  ToProto(*here_.rooms.moves().Freeze("lobby"), here_.steady_ms, &proto);
  const std::pair<int64_t, int64_t> ages[] = {
      {INT64_MIN, 0}, {-1, 0}, {5, 5}, {INT64_MAX, 24 * 60 * kMinute}};
  for (const auto& [told, age] : ages) {
    proto.mutable_recent_ids(0)->set_age_ms(told);
    proto.mutable_recent_events(0)->set_age_ms(told);
    v1::RoomState with_places = proto;
    with_places.mutable_places(0)->set_age_ms(told);
    EXPECT_EQ(FromProto(with_places, 1'000).places[0].asked_ms, 1'000 - age);
    const RoomState state = FromProto(proto, 1'000);
    EXPECT_EQ(state.recent_ids[0].sent.at_ms, 1'000 - age) << told;
    EXPECT_EQ(state.recent_events[0]->at_ms, 1'000 - age) << told;
    ASSERT_FALSE(state.places.empty());
    EXPECT_EQ(state.places[0].asked_ms, std::nullopt) << "it was not told";
  }
}

}  // namespace
}  // namespace hubbub::chat
