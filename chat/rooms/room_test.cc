#include "chat/rooms/room.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chat/testing/fake_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kEpoch = 77;
constexpr int64_t kNow = 1000;
constexpr int64_t kShown = 1'700'000'000'000;

RoomClaim ClaimOf(const std::string& user, const SubscriberPtr& at, uint64_t session,
                  const std::string& token, SeenPoint seen) {
  return {.subscriber = at,
          .epoch = seen.epoch,
          .offset = seen.offset,
          .places = {{user, session, token}},
          .recent_events = {}};
}

class RoomTest : public ::testing::Test {
 protected:
  absl::StatusOr<AddResult> Add(const std::string& user, const std::shared_ptr<FakeSubscriber>& at,
                                uint64_t session, DuplicateUser policy = DuplicateUser::kRefuse,
                                const std::string& token = "", const std::string& resume_token = "") {
    return room_.Add(user, {at, session, token}, resume_token, policy, kNow);
  }
  void Forget() {
    a_->Take();
    b_->Take();
  }
  std::vector<std::string> Places() const {
    std::vector<std::string> places;
    for (const MemberInfo& m : room_.Info().members)
      places.push_back(fmt::format("{}/{}/{}", m.user, m.connector, m.session));
    return places;
  }

  const std::shared_ptr<FakeSubscriber> a_ = std::make_shared<FakeSubscriber>(1);
  const std::shared_ptr<FakeSubscriber> b_ = std::make_shared<FakeSubscriber>(2);
  Room::Limits limits_ = [] {
    Room::Limits limits;
    limits.max_places = 5;
    limits.shown_ms = [] { return kShown; };
    return limits;
  }();
  LeaseIndex index_;
  Room room_{"lobby", kEpoch, limits_, index_};
};

TEST_F(RoomTest, AnswerHasTheUsersInOrderAndTheOffset) {
  ASSERT_TRUE(Add("zoe", a_, 1).ok());
  ASSERT_TRUE(Add("ann", b_, 1).ok());
  const auto third = Add("mia", a_, 2);
  ASSERT_TRUE(third.ok());
  EXPECT_THAT(third->users, ElementsAre("zoe", "ann", "mia"));
  EXPECT_EQ(third->epoch, kEpoch);
  EXPECT_EQ(third->offset, 3u);
  EXPECT_FALSE(third->resumed);
}

// A place of a connector's run before may have come along with its room, under a number that is in use again.
TEST_F(RoomTest, WhoTakesAPlaceOverWithItsOwnNumberHasItsOwnToken) {
  ASSERT_TRUE(Add("ann", a_, 1, DuplicateUser::kRefuse, "first").ok());
  ASSERT_TRUE(Add("ann", a_, 1, DuplicateUser::kRefuse, "second", "first")->resumed);
  EXPECT_FALSE(Add("ann", b_, 1, DuplicateUser::kRefuse, "third", "first").ok());
  EXPECT_TRUE(Add("ann", b_, 1, DuplicateUser::kRefuse, "third", "second").ok());
}

TEST_F(RoomTest, WhatIsSaidCostsByItsMembers) {
  limits_.max_fan_out_per_second = 1'000;
  Room room("loud", kEpoch, limits_, index_);
  ASSERT_TRUE(room.Add("ann", {a_, 1, ""}, "", DuplicateUser::kRefuse, kNow).ok());
  ASSERT_TRUE(room.Add("bob", {b_, 1, ""}, "", DuplicateUser::kRefuse, kNow).ok());
  const std::string text(400, 'x');  // With two members 1,000 bytes.
  EXPECT_TRUE(room.Send("ann", "*", text, kNow, "1").ok());
  EXPECT_TRUE(room.Send("ann", "*", text, kNow).ok());
  const auto refused = room.Send("ann", "*", "x", kNow);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("what is said in room \"loud\" is more than 1000 bytes a second for its 2 members"));
  EXPECT_EQ(room.offset(), 4u) << "nothing happened";
  EXPECT_TRUE(room.Send("ann", "*", text, kNow, "1")->repeated) << "a repeat costs nothing";
  EXPECT_TRUE(room.Send("ann", "bob", text, kNow + 500).ok()) << "half as much to one";
  EXPECT_FALSE(room.Send("ann", "bob", text, kNow + 500).ok());
  EXPECT_TRUE(room.Send("ann", "*", std::string(30'000, 'x'), kNow + 2'500).ok())
      << "any message fits in a burst";
}

TEST_F(RoomTest, EachSubscriberIsToldOnce) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  ASSERT_TRUE(Add("bob", a_, 2).ok());
  ASSERT_TRUE(Add("cat", b_, 1).ok());
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("joined ann@1", "joined bob@2", "joined cat@3"));
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("joined cat@3"));
  const auto sent = room_.Send("ann", "*", "hi", kNow);
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->offset, 4u);
  EXPECT_EQ(sent->epoch, kEpoch);
  EXPECT_EQ(sent->time_ms, kShown);
  EXPECT_EQ(sent->recipients, 3u);
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("ann to *: hi@4"));
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("ann to *: hi@4"));
}

TEST_F(RoomTest, TargetedMessageGoesToTheHoldersOfTheTarget) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  ASSERT_TRUE(Add("bob", b_, 1).ok());
  ASSERT_TRUE(Add("bob", b_, 2, DuplicateUser::kAllow).ok());
  Forget();
  const auto sent = room_.Send("ann", "bob", "psst", kNow);
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->recipients, 1u);
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("ann to bob: psst@3")) << "once, though bob has two places there";
}

TEST_F(RoomTest, TargetWhoIsNotHereIsNotFound) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  const auto sent = room_.Send("ann", "bob", "psst", kNow);
  EXPECT_EQ(sent.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(sent.status().message(), "target \"bob\" is not in room \"lobby\"");
  EXPECT_EQ(room_.offset(), 1u) << "a refused message takes no offset";
}

TEST_F(RoomTest, SendIntoAnEmptyRoomIsRecorded) {
  const auto sent = room_.Send("system", "*", "hello?", kNow);
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->recipients, 0u);
  EXPECT_EQ(room_.recent().size(), 1u);
}

TEST_F(RoomTest, KickTellsEverybodyAndTheKickedOnesConnector) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  ASSERT_TRUE(Add("bob", b_, 1).ok());
  Forget();
  const auto offset = room_.Kick("bob", kNow);
  ASSERT_TRUE(offset.ok());
  EXPECT_EQ(*offset, 3u);
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("left bob@3"));
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("left bob@3"));
  EXPECT_EQ(index_.Any(2), nullptr);
  ASSERT_TRUE(room_.Send("ann", "*", "hi", kNow).ok());
  EXPECT_THAT(b_->TakeTexts(), IsEmpty());
  EXPECT_EQ(room_.Kick("bob", kNow).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RoomTest, KickPlaceEndsThatPlaceAlone) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  ASSERT_TRUE(Add("bob", b_, 1, DuplicateUser::kAllow).ok());
  ASSERT_TRUE(Add("bob", a_, 2, DuplicateUser::kAllow).ok());
  Forget();
  EXPECT_EQ(room_.KickPlace("bob", {2, 9}, kNow), 0u) << "no such session";
  EXPECT_EQ(room_.KickPlace("zoe", {2, 1}, kNow), 0u) << "no such user";
  EXPECT_EQ(room_.KickPlace("bob", {2, 1}, kNow), 0u) << "bob stays by his other place";
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
  EXPECT_THAT(Places(), ElementsAre("ann/connector-1/1", "bob/connector-1/2"));
  EXPECT_EQ(room_.KickPlace("bob", {1, 2}, kNow), 3u);
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("left bob@3"));
  EXPECT_THAT(b_->TakeTexts(), IsEmpty());
}

TEST_F(RoomTest, RoomIsFull) {
  for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(Add(fmt::format("user{}", i), a_, i).ok());
  const auto sixth = Add("user6", a_, 6);
  EXPECT_EQ(sixth.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(sixth.status().message()), HasSubstr("room \"lobby\" is full"));
  EXPECT_TRUE(Add("user5", a_, 7, DuplicateUser::kReplace).ok()) << "a takeover needs no further place";
  EXPECT_EQ(Add("user5", a_, 8, DuplicateUser::kAllow).status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(room_.Kick("user1", kNow).ok());
  EXPECT_TRUE(Add("user6", a_, 6).ok());
}

TEST_F(RoomTest, DropEndsPlacesInTheOrderOfComing) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  ASSERT_TRUE(Add("bob", b_, 1).ok());
  ASSERT_TRUE(Add("cat", a_, 2).ok());
  ASSERT_TRUE(Add("bob", a_, 3, DuplicateUser::kAllow).ok());
  Forget();
  EXPECT_EQ(index_.Any(1), &room_);
  EXPECT_EQ(room_.Drop(1, 2, kNow), 2u);
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("left ann@4")) << "bob has a place at the other connector";
  EXPECT_EQ(index_.Any(1), &room_);
  EXPECT_EQ(room_.Drop(1, 2, kNow), 1u);
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("left cat@5"));
  EXPECT_THAT(Places(), ElementsAre("bob/connector-2/1"));
  EXPECT_EQ(index_.Any(1), nullptr);
}

struct DuplicateCase {
  const char* name;
  DuplicateUser policy;
  const char* resume_token;
  absl::StatusCode code;
  bool resumed;
  std::vector<std::string> places;
  std::vector<std::string> first_is_told;
};

class DuplicateUserTest : public RoomTest, public ::testing::WithParamInterface<DuplicateCase> {};

// Ann is in by session 1 of connector 1 with the token "secret", and bob after her; then she comes by
// connector 2.
TEST_P(DuplicateUserTest, SecondSessionOfAUser) {
  const DuplicateCase& c = GetParam();
  ASSERT_TRUE(Add("ann", a_, 1, c.policy, "secret").ok());
  ASSERT_TRUE(Add("bob", b_, 1, c.policy).ok());
  Forget();
  const auto again = Add("ann", b_, 2, c.policy, "other", c.resume_token);
  EXPECT_EQ(again.status().code(), c.code);
  EXPECT_EQ(Places(), c.places);
  EXPECT_EQ(a_->TakeTexts(), c.first_is_told);
  EXPECT_THAT(b_->TakeTexts(), IsEmpty()) << "nobody has come or left";
  EXPECT_EQ(room_.offset(), 2u);
  if (!again.ok()) {
    EXPECT_THAT(std::string(again.status().message()),
                HasSubstr("user \"ann\" is in room \"lobby\" already"));
    return;
  }
  EXPECT_EQ(again->resumed, c.resumed);
  EXPECT_THAT(again->users, ElementsAre("ann", "bob")) << "a takeover keeps its place in the order";
  EXPECT_EQ(again->offset, 2u);
}

const std::vector<std::string> kAsBefore = {"ann/connector-1/1", "bob/connector-2/1"};
const std::vector<std::string> kTaken = {"ann/connector-2/2", "bob/connector-2/1"};
const std::vector<std::string> kBoth = {"ann/connector-1/1", "ann/connector-2/2", "bob/connector-2/1"};
const std::vector<std::string> kTold = {"replaced ann/1"};

INSTANTIATE_TEST_SUITE_P(
    All, DuplicateUserTest,
    ::testing::Values(
        DuplicateCase{"RefuseNoToken",
                      DuplicateUser::kRefuse,
                      "",
                      absl::StatusCode::kAlreadyExists,
                      false,
                      kAsBefore,
                      {}},
        DuplicateCase{"RefuseWrongToken",
                      DuplicateUser::kRefuse,
                      "secreT",
                      absl::StatusCode::kAlreadyExists,
                      false,
                      kAsBefore,
                      {}},
        DuplicateCase{"RefuseToken", DuplicateUser::kRefuse, "secret", absl::StatusCode::kOk, true, kTaken,
                      kTold},
        DuplicateCase{"ReplaceNoToken", DuplicateUser::kReplace, "", absl::StatusCode::kOk, true, kTaken,
                      kTold},
        DuplicateCase{"ReplaceToken", DuplicateUser::kReplace, "secret", absl::StatusCode::kOk, true, kTaken,
                      kTold},
        DuplicateCase{"AllowNoToken", DuplicateUser::kAllow, "", absl::StatusCode::kOk, false, kBoth, {}},
        DuplicateCase{
            "AllowWrongToken", DuplicateUser::kAllow, "secret2", absl::StatusCode::kOk, false, kBoth, {}},
        DuplicateCase{"AllowToken", DuplicateUser::kAllow, "secret", absl::StatusCode::kOk, true, kTaken,
                      kTold}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(RoomTest, TheSameSessionTwiceIsRefusedUnderEveryPolicy) {
  for (const DuplicateUser policy :
       {DuplicateUser::kRefuse, DuplicateUser::kReplace, DuplicateUser::kAllow}) {
    LeaseIndex index;
    Room room("lobby", kEpoch, limits_, index);
    ASSERT_TRUE(room.Add("ann", {a_, 1, "secret"}, "", policy, kNow).ok());
    const auto again = room.Add("ann", {a_, 1, "other"}, "guess", policy, kNow);
    EXPECT_EQ(again.status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(room.users(), 1u);
  }
}

TEST_F(RoomTest, AnAddThatIsRepeatedWithItsOwnTokenGetsItsAnswerAgain) {
  const auto first = Add("ann", a_, 1, DuplicateUser::kRefuse, "secret");
  Forget();
  const auto again = Add("ann", a_, 1, DuplicateUser::kRefuse, "secret", "secret");
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->offset, first->offset);
  EXPECT_THAT(a_->Take(), IsEmpty());
  EXPECT_THAT(Places(), ElementsAre("ann/connector-1/1"));
}

TEST_F(RoomTest, AnEmptyTokenOpensNothing) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  EXPECT_EQ(Add("ann", b_, 1).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(RoomTest, TheLastOfSeveralPlacesMakesTheUserLeave) {
  ASSERT_TRUE(Add("ann", a_, 1, DuplicateUser::kAllow).ok());
  ASSERT_TRUE(Add("ann", b_, 1, DuplicateUser::kAllow).ok());
  ASSERT_TRUE(Add("bob", b_, 2, DuplicateUser::kAllow).ok());
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("joined ann@1", "joined bob@2"));
  Forget();
  EXPECT_EQ(room_.KickPlace("ann", {1, 1}, kNow), 0u);
  EXPECT_EQ(room_.KickPlace("ann", {2, 1}, kNow), 3u);
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("left ann@3"));
}

TEST_F(RoomTest, ASendOfTheSameIdIsAnsweredAsTheFirstAndNotRepeated) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  Forget();
  const auto first = room_.Send("ann", kEverybody, "hi", kNow, "id-1");
  const auto again = room_.Send("ann", kEverybody, "hi", kNow + 1000, "id-1");
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_FALSE(first->repeated);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->offset, first->offset);
  EXPECT_EQ(again->time_ms, first->time_ms);
  EXPECT_EQ(again->epoch, kEpoch);
  EXPECT_EQ(a_->Take().size(), 1u);
  // Another user's id, and another id of the same user, are other sends.
  EXPECT_FALSE(room_.Send("bob", kEverybody, "hi", kNow, "id-1")->repeated);
  EXPECT_FALSE(room_.Send("ann", kEverybody, "hi", kNow, "id-2")->repeated);
}

TEST_F(RoomTest, NobodyIsHeardAfterTheEndOfItsPlace) {
  const PlaceId place{1, 1};
  const std::function<void()> ends[] = {
      [&] { room_.KickPlace("ann", place, kNow); },
      [&] { ASSERT_TRUE(room_.Kick("ann", kNow).ok()); },
      [&] { ASSERT_TRUE(Add("ann", b_, 2, DuplicateUser::kReplace).ok()); },
      [&] { room_.Drop(1, 10, kNow); },
  };
  for (const auto& end : ends) {
    ASSERT_TRUE(Add("ann", a_, 1).ok());
    ASSERT_TRUE(room_.Send("ann", kEverybody, "hi", kNow, "", place).ok());
    end();
    Forget();
    const uint64_t offset = room_.offset();
    for (const char* target : {"*", "ann"})
      EXPECT_TRUE(absl::IsPermissionDenied(room_.Send("ann", target, "late", kNow, "", place).status()));
    EXPECT_EQ(room_.offset(), offset);
    EXPECT_THAT(b_->TakeTexts(), IsEmpty());
    EXPECT_TRUE(room_.Send("ann", kEverybody, "from a back end", kNow).ok()) << "which needs no place";
    (void)room_.Kick("ann", kNow);
  }
}

TEST_F(RoomTest, APlaceSpeaksForItselfAlone) {
  ASSERT_TRUE(Add("ann", a_, 1, DuplicateUser::kAllow).ok());
  ASSERT_TRUE(Add("ann", b_, 2, DuplicateUser::kAllow).ok());
  ASSERT_TRUE(Add("bob", b_, 3).ok());
  room_.KickPlace("ann", {1, 1}, kNow);
  EXPECT_TRUE(absl::IsPermissionDenied(room_.Send("ann", kEverybody, "hi", kNow, "", {1, 1}).status()));
  EXPECT_TRUE(room_.Send("ann", kEverybody, "hi", kNow, "", {2, 2}).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(room_.Send("ann", kEverybody, "hi", kNow, "", {2, 3}).status()))
      << "that is bob's";
}

TEST_F(RoomTest, WhatWasSentBeforeTheEndIsAnsweredAsItWas) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  const auto first = room_.Send("ann", kEverybody, "hi", kNow, "id-1", {1, 1});
  ASSERT_TRUE(first.ok());
  room_.KickPlace("ann", {1, 1}, kNow);
  const auto again = room_.Send("ann", kEverybody, "hi", kNow, "id-1", {1, 1});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->offset, first->offset);
}

TEST_F(RoomTest, ASendThatFailedMayBeTriedAgainByItsId) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  EXPECT_FALSE(room_.Send("ann", "bob", "hi", kNow, "id-1").ok());
  ASSERT_TRUE(Add("bob", b_, 1).ok());
  const auto sent = room_.Send("ann", "bob", "hi", kNow, "id-1");
  ASSERT_TRUE(sent.ok());
  EXPECT_FALSE(sent->repeated);
}

TEST_F(RoomTest, WhoComesBackGetsWhatConcernsHimSinceThatPoint) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  const uint64_t seen = Add("bob", b_, 1, DuplicateUser::kRefuse, "token")->offset;
  ASSERT_TRUE(room_.Send("ann", kEverybody, "to all", kNow).ok());
  ASSERT_TRUE(room_.Send("ann", "bob", "to bob", kNow).ok());
  ASSERT_TRUE(room_.Send("bob", "ann", "to ann", kNow).ok());
  room_.KickPlace("bob", {2, 1}, kNow);
  ASSERT_TRUE(Add("cat", a_, 2).ok());

  const auto back = room_.Add("bob", {b_, 2, ""}, "token", DuplicateUser::kRefuse, kNow,
                              SeenPoint{.epoch = kEpoch, .offset = seen});
  ASSERT_TRUE(back.ok());
  ASSERT_TRUE(back->missed.has_value());
  std::vector<std::string> missed;
  for (const EventPtr& event : *back->missed) missed.push_back(event->user + ":" + event->content);
  // Neither what was for others, nor his own coming and going.
  EXPECT_THAT(missed, ElementsAre("ann:to all", "ann:to bob", "cat:"));
  EXPECT_GT(back->offset, back->missed->back()->offset);
}

TEST_F(RoomTest, WhatCanNotBeHadIsSaid) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  const auto ask = [&](uint64_t session, SeenPoint seen) {
    const auto answer = room_.Add("bob", {b_, session, ""}, "", DuplicateUser::kAllow, kNow, seen);
    return answer.ok() && answer->missed.has_value();
  };
  EXPECT_FALSE(ask(1, {.epoch = kEpoch + 1, .offset = 1})) << "another life of the room";
  EXPECT_FALSE(ask(2, {.epoch = kEpoch, .offset = 1000})) << "an offset of the future";
  EXPECT_TRUE(ask(3, {.epoch = kEpoch, .offset = 0})) << "everything is still held";
  EXPECT_FALSE(Add("cat", a_, 9)->missed.has_value()) << "nothing was asked";
}

EventPtr Said(uint64_t epoch, uint64_t offset, const std::string& content, const std::string& id = "") {
  auto event = std::make_shared<Event>();
  event->epoch = epoch;
  event->offset = offset;
  event->time_ms = kNow;
  event->user = "ann";
  event->target = kEverybody;
  event->content = content;
  event->id = id;
  return event;
}

TEST_F(RoomTest, AUserOfAnEarlierLifeMakesNoNoiseUnlessThereAreNewcomers) {
  constexpr uint64_t kBefore = kEpoch - 1;
  room_.GoOnFrom({{kBefore, {}}}, kNow);
  const auto restore = [&](const std::string& user, const SubscriberPtr& at) {
    (void)room_.Restore(ClaimOf(user, at, 1, "token of " + user, {.epoch = kBefore, .offset = 9}),
                        DuplicateUser::kRefuse, kNow);
  };
  restore("ann", a_);
  restore("bob", b_);
  EXPECT_THAT(a_->Take(), IsEmpty());
  EXPECT_THAT(Places(), ElementsAre("ann/connector-1/1", "bob/connector-2/1"));
  ASSERT_TRUE(Add("cat", a_, 9).ok());
  Forget();
  restore("dan", b_);
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("joined dan@2")) << "cat does not know of dan";
}

// Each connector remembers its last events alone, and one may be far behind another.
TEST_F(RoomTest, AGapInAnEarlierLifeIsNotRecovered) {
  constexpr uint64_t kBefore = kEpoch - 1;
  room_.GoOnFrom({{kBefore, {{5, Said(kBefore, 5, "five")}, {8, Said(kBefore, 8, "eight")}}}}, kNow);
  EXPECT_FALSE(
      room_.Restore(ClaimOf("bob", b_, 1, "t", {.epoch = kBefore, .offset = 4}), DuplicateUser::kRefuse, kNow)
          .missed.has_value());
  EXPECT_TRUE(
      room_.Restore(ClaimOf("cat", b_, 2, "u", {.epoch = kBefore, .offset = 7}), DuplicateUser::kRefuse, kNow)
          .missed.has_value());
  const auto ann = room_.Add("ann", Place{a_, 2, "v"}, "", DuplicateUser::kRefuse, kNow,
                             SeenPoint{.epoch = kBefore, .offset = 4});
  ASSERT_TRUE(ann.ok());
  EXPECT_FALSE(ann->missed.has_value());
}

TEST_F(RoomTest, WhatOthersSawOfAnEarlierLifeComesFirst) {
  constexpr uint64_t kBefore = kEpoch - 1;
  room_.GoOnFrom({{kBefore, {{5, Said(kBefore, 5, "five", "n-5")}, {6, Said(kBefore, 6, "six")}}}}, kNow);
  ASSERT_TRUE(room_.Send("ann", kEverybody, "one", kNow).ok());
  const auto texts = [](const std::optional<std::vector<EventPtr>>& events) {
    std::vector<std::string> contents;
    for (const EventPtr& event : events.value_or(std::vector<EventPtr>())) contents.push_back(event->content);
    return contents;
  };
  const RestoreResult back = room_.Restore(ClaimOf("bob", b_, 1, "t", {.epoch = kBefore, .offset = 5}),
                                           DuplicateUser::kRefuse, kNow);
  EXPECT_THAT(texts(back.missed), ElementsAre("six", "one"));
  // A client that comes back by itself gets the same.
  const auto added = room_.Add("cat", {a_, 2, ""}, "", DuplicateUser::kRefuse, kNow,
                               SeenPoint{.epoch = kBefore, .offset = 4});
  EXPECT_THAT(texts(added->missed), ElementsAre("five", "six", "one"));
  const auto too_old = room_.Add("dan", {a_, 3, ""}, "", DuplicateUser::kRefuse, kNow,
                                 SeenPoint{.epoch = kBefore, .offset = 3});
  EXPECT_FALSE(too_old->missed.has_value()) << "nobody knows what came fourth";

  const auto again = room_.Send("ann", kEverybody, "five", kNow, "n-5");
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->epoch, kBefore);
  EXPECT_EQ(again->offset, 5u);

  Room heir("lobby", kEpoch, limits_, index_);
  const RoomState state = room_.State(kNow);
  heir.Adopt(state, std::vector<SubscriberPtr>(state.places.size(), b_), kNow);
  const RestoreResult there =
      heir.Restore(ClaimOf("eve", b_, 4, "t", {.epoch = kBefore, .offset = 5}), DuplicateUser::kRefuse, kNow);
  EXPECT_EQ(texts(there.missed).front(), "six") << "it is known wherever the room goes";
}

TEST_F(RoomTest, ARestoredPlaceIsNewsInTheLifeOfTheRoomThatItKnows) {
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  const uint64_t seen = Add("bob", b_, 1)->offset;
  room_.KickPlace("bob", {2, 1}, kNow);  // As when the lease's grace is over: ann was told.
  ASSERT_TRUE(room_.Send("ann", kEverybody, "meanwhile", kNow).ok());
  Forget();
  const RestoreResult back = room_.Restore(ClaimOf("bob", b_, 1, "t", {.epoch = kEpoch, .offset = seen}),
                                           DuplicateUser::kRefuse, kNow);
  EXPECT_EQ(a_->Take().size(), 1u) << "ann is told that bob is here again";
  ASSERT_TRUE(back.missed.has_value());
  std::vector<std::string> missed;
  for (const EventPtr& event : *back.missed) missed.push_back(event->user + ":" + event->content);
  // For all places of the connector at once, so with the user's own going and coming.
  EXPECT_THAT(missed, ElementsAre("bob:", "ann:meanwhile", "bob:"));
  EXPECT_EQ(back.offset, back.missed->back()->offset);
  EXPECT_THAT(back.replaced, IsEmpty());
}

TEST_F(RoomTest, APlaceThatSomebodyElseHasIsNotRestored) {
  ASSERT_TRUE(Add("bob", a_, 7).ok());
  Forget();
  const RestoreResult back = room_.Restore(ClaimOf("bob", b_, 1, "t", {}), DuplicateUser::kReplace, kNow);
  EXPECT_THAT(back.replaced, ElementsAre(0u));
  EXPECT_THAT(Places(), ElementsAre("bob/connector-1/7"));
  EXPECT_THAT(a_->Take(), IsEmpty());
}

TEST_F(RoomTest, AnswersAreBounded) {
  limits_.max_answer_bytes = 8;
  limits_.max_answer_places = 2;
  ASSERT_TRUE(Add("ann", a_, 1).ok());
  ASSERT_TRUE(Add("bob", a_, 2).ok());
  const auto third = Add("cat", a_, 3);
  ASSERT_TRUE(third.ok());
  EXPECT_THAT(third->users, ElementsAre("ann", "bob"));
  EXPECT_EQ(third->total, 3u);
  EXPECT_THAT(Places(), ElementsAre("ann/connector-1/1", "bob/connector-1/2"));
  EXPECT_EQ(room_.Info().total, 3u);
}

}  // namespace
}  // namespace hubbub::chat
