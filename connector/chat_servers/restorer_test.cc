#include "connector/chat_servers/restorer.h"

#include "connector/testing/fake_chat_servers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::connector {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_F(RestorerTest, EveryServerIsToldOfALossOnceAndTheBestGetsTheRooms) {
  const Guest& ann = Enter("ann", "lobby", 5);
  const Guest& bob = Enter("bob", "lobby", 4);
  Enter("cat", "attic");
  const Guest& dan = Enter("dan", "cellar", 0, "chat-3");
  Lose("chat-1");
  EXPECT_THAT(Calls(), ElementsAre("chat-2: chat-1/1 attic(cat) lobby(ann,bob)", "chat-3: chat-1/1"));
  EXPECT_EQ(At(ann), "not yet chat-2 by 20");
  AnswerAll();
  RunLater();
  EXPECT_THAT(Calls(), IsEmpty());
  for (const Guest* guest : {&ann, &bob}) EXPECT_EQ(At(*guest), "chat-2 by 20");
  EXPECT_NE(ann.place->state(), Membership::State::kRestoring);
  EXPECT_EQ(At(dan), "chat-3 by 30") << "nothing of it was lost";
}

TEST_F(RestorerTest, AReportSaysWhatWasHeld) {
  Enter("ann", "lobby", 0);
  Deliver("chat-1", [](chat::v1::Event& event) {
    event.set_offset(1);
    event.set_time_ms(5000);
    event.mutable_message()->set_target("*");
  });
  Say("chat-1", 2);
  Enter("bob", "lobby", 1);
  Lose("chat-1");
  const auto request = Take("chat-2").request;
  EXPECT_EQ(request.lease(), 20u);
  EXPECT_EQ(request.part(), 2u);
  EXPECT_EQ(request.parts(), 4u);
  EXPECT_EQ(request.calls(), 1u);
  ASSERT_EQ(request.rooms_size(), 1);
  const auto& room = request.rooms(0);
  EXPECT_EQ(room.epoch(), kEpoch);
  EXPECT_EQ(room.offset(), 1u) << "what all of them have seen";
  ASSERT_EQ(room.recent_events_size(), 2);
  EXPECT_EQ(room.recent_events(1).offset(), 2u);
  EXPECT_GE(room.recent_events(0).age_ms(), room.recent_events(1).age_ms());
  EXPECT_GE(room.recent_events(1).age_ms(), 0);
  EXPECT_EQ(room.time_ms(), 5000) << "the latest that was shown";
  ASSERT_EQ(room.places_size(), 2);
  EXPECT_EQ(room.places(0).token(), "token of ann");
  EXPECT_EQ(room.places(1).session(), 2u);
}

TEST_F(RestorerTest, AReportNamesWhomClientsWereShown) {
  Guest& ann = Enter("ann");
  Do([&] {
    ann.place->set_attempt(7);
    chat::v1::AddResponse answer;
    for (const char* user : {"ann", "cat", "dan"}) answer.add_users(user);
    rooms_.ShowUsers("lobby", answer.users(), answer.users().size());
    answer.add_users("eve");
    rooms_.ShowUsers("lobby", answer.users(), answer.users().size());
  });
  Deliver("chat-1", [](chat::v1::Event& event) {
    event.set_offset(1);
    event.mutable_joined()->set_user("bob");
  });
  Deliver("chat-1", [](chat::v1::Event& event) {
    event.set_offset(2);
    event.mutable_left()->set_user("cat");
  });
  Lose("chat-1");
  const auto request = Take("chat-2").request;
  EXPECT_THAT(request.rooms(0).shown_users(), UnorderedElementsAre("ann", "bob", "dan"))
      << "the first answer, and what came after it";
  EXPECT_EQ(request.rooms(0).places(0).attempt(), 7u);
  EXPECT_GE(request.rooms(0).places(0).age_ms(), 0) << "by which a later session of one client is known";
}

TEST_F(RestorerTest, ARoomThatHasMovedNamesNobody) {
  Enter("ann");
  Do([&] {
    chat::v1::AddResponse answer;
    answer.add_users("cat");
    rooms_.ShowUsers("lobby", answer.users(), answer.users().size());
  });
  Move("chat-1", "chat-2");
  EXPECT_THAT(Take("chat-2").request.rooms(0).shown_users(), IsEmpty());
}

TEST_F(RestorerTest, WhoCameWhenTheServerDiedIsShownToThoseWhoWereNotTold) {
  const Guest& ann = Enter("ann");
  const Guest& bob = Enter("bob");
  Do([&] { Show({"ann", "bob", "cat"}, 3); });
  Lose("chat-1");
  Answer("chat-3");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) {
    for (const char* user : {"ann", "bob", "cat", "dan", "eve"}) room.add_users(user);
    room.set_epoch(kEpoch + 1);
    chat::v1::Event& missed = *room.add_missed_events();
    missed.set_room("lobby");
    missed.set_epoch(kEpoch);
    missed.set_offset(1);
    missed.mutable_joined()->set_user("eve");
  });
  for (const Guest* guest : {&ann, &bob}) {
    EXPECT_THAT(guest->session.connection.log,
                ElementsAre(AllOf(HasSubstr("onAdd"), HasSubstr("eve")),
                            AllOf(HasSubstr("onAdd"), HasSubstr("dan"), Not(HasSubstr("offset")))));
  }
  Do([&] {
    EXPECT_THAT(rooms_.ShownIn("lobby")->users(), UnorderedElementsAre("ann", "bob", "cat", "dan", "eve"));
  });
}

TEST_F(RestorerTest, NobodyIsShownTwiceWhereNotAllAreKnown) {
  const Guest& ann = Enter("ann");
  Do([&] { Show({"ann"}, 2); });
  Lose("chat-1");
  Answer("chat-3");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) { room.add_users("cat"); });
  EXPECT_THAT(ann.session.connection.log, IsEmpty());
}

TEST_F(RestorerTest, MembersOfTwoLivesOfARoomAreToldApart) {
  Enter("ann");
  Guest& bob = Enter("bob");
  Do([&] { bob.place->BeginEpoch(kEpoch + 1); });
  Lose("chat-1");
  EXPECT_THAT(Calls(), ElementsAre("chat-2: chat-1/1 lobby(ann) lobby(bob)", "chat-3: chat-1/1"));
}

TEST_F(RestorerTest, ElsewhereIsFollowedAtOnce) {
  const Guest& ann = Enter("ann");
  Lose("chat-1");
  Answer("chat-3");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) {
    room.set_outcome(chat::v1::RESTORE_OUTCOME_ELSEWHERE);
    room.set_owner("chat-3");
  });
  EXPECT_THAT(Calls(), ElementsAre("chat-3: chat-1/1 lobby(ann)"));
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-3 by 30");
}

TEST_F(RestorerTest, AnOwnerThatCanNotBeReachedIsNotAskedAtOnce) {
  Enter("ann");
  Lose("chat-1");
  Answer("chat-3");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) {
    room.set_outcome(chat::v1::RESTORE_OUTCOME_ELSEWHERE);
    room.set_owner("chat-1");
  });
  EXPECT_THAT(Calls(), IsEmpty()) << "the one that was asked does not see yet that it is lost";
  RunLater();
  EXPECT_THAT(Calls(), ElementsAre("chat-2: chat-1/1 lobby(ann)"));
}

TEST_F(RestorerTest, WhatIsLaterOrFailsIsAskedAgainAfterAPause) {
  const Guest& ann = Enter("ann");
  Lose("chat-1");
  Answer("chat-3");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) { room.set_outcome(chat::v1::RESTORE_OUTCOME_LATER); });
  for (const auto code : {absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded,
                          absl::StatusCode::kFailedPrecondition}) {
    EXPECT_THAT(Calls(), IsEmpty());
    EXPECT_THAT(servers_.later, SizeIs(1));
    RunLater();
    EXPECT_THAT(Calls(), ElementsAre("chat-2: chat-1/1 lobby(ann)"));
    Fail("chat-2", absl::Status(code, "no"));
  }
  RunLater();
  Answer("chat-2");
  EXPECT_EQ(At(ann), "chat-2 by 20");
}

TEST_F(RestorerTest, PausesGrowWhileItIsRefusedAndNewsCutThemShort) {
  const Guest& ann = Enter("ann");
  Lose("chat-1");
  Answer("chat-3");
  for (int i = 0; i < 4; ++i) {
    Fail("chat-2", absl::FailedPreconditionError("it is not lost"));
    EXPECT_THAT(servers_.pauses, SizeIs(i + 1));
    RunLater();
  }
  EXPECT_THAT(servers_.pauses, ElementsAre(0, 1, 2, 3));
  Fail("chat-2", absl::FailedPreconditionError("it is not lost"));
  Up("chat-4");
  EXPECT_THAT(Calls(), ElementsAre("chat-2: chat-1/1 lobby(ann)", "chat-4: chat-1/1", "chat-4: chat-4/0"));
  RunLater();
  EXPECT_THAT(Calls(), SizeIs(3)) << "the pause is over, and nothing is asked twice";
  servers_.pauses.clear();
  Fail("chat-2", absl::FailedPreconditionError("it is not lost"));
  EXPECT_THAT(servers_.pauses, ElementsAre(0));
  RunLater();
  Answer("chat-2");
  EXPECT_EQ(At(ann), "chat-2 by 20");
}

TEST_F(RestorerTest, AnAnswerWithoutSomeOfTheRoomsIsAskedForTheRest) {
  Enter("ann");
  Lose("chat-1");
  Answer("chat-3");
  const ScriptedServers::Call call = Take("chat-2");
  Do([&] { call.done(absl::OkStatus(), {}); });
  EXPECT_THAT(Calls(), ElementsAre("chat-2: chat-1/1 lobby(ann)"));
}

TEST_F(RestorerTest, RoomsWaitUntilAServerCanBeReached) {
  const Guest& ann = Enter("ann");
  for (const char* server : {"chat-2", "chat-3"}) Lose(server);
  servers_.calls.clear();
  Lose("chat-1");
  EXPECT_THAT(Calls(), IsEmpty());
  servers_.best = "chat-4";
  Up("chat-4");
  RunLater();
  EXPECT_THAT(Calls(), Contains("chat-4: chat-1/1 lobby(ann)"));
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-4 by 40");
}

TEST_F(RestorerTest, ARestartedServerHasLostItsRooms) {
  const Guest& ann = Enter("ann");
  servers_.best = "chat-1";
  Up("chat-1", /*incarnation=*/2, /*lease=*/11);
  EXPECT_THAT(Calls(), ElementsAre("chat-1: chat-1/1 lobby(ann)", "chat-2: chat-1/1", "chat-3: chat-1/1"));
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-1 by 11");
  EXPECT_EQ(ann.place->at().incarnation, 2u);
}

TEST_F(RestorerTest, AServerThatHasGivenUpOnThisConnectorStillHasTheRooms) {
  const Guest& ann = Enter("ann");
  Up("chat-1", /*incarnation=*/1, /*lease=*/11);
  EXPECT_THAT(Calls(), ElementsAre("chat-1: moved lobby(ann)")) << "whichever server is the best for it";
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-1 by 11");
}

TEST_F(RestorerTest, AResumedLeaseHasAllItsPlaces) {
  const Guest& ann = Enter("ann");
  Up("chat-1", /*incarnation=*/1, /*lease=*/10, /*fresh=*/false);
  EXPECT_THAT(Calls(), IsEmpty());
  EXPECT_EQ(At(ann), "chat-1 by 10");
}

TEST_F(RestorerTest, ALostServerThatComesBackAsItWasGetsItsRoomsBack) {
  const Guest& ann = Enter("ann");
  Lose("chat-1");
  Up("chat-1", /*incarnation=*/1, /*lease=*/10, /*fresh=*/false);
  Answer("chat-3");
  Fail("chat-2", absl::FailedPreconditionError("it is not lost"));
  RunLater();
  EXPECT_THAT(Calls(), ElementsAre("chat-1: chat-1/1 lobby(ann)")) << "and nobody else is told any more";
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-1 by 10");
}

TEST_F(RestorerTest, AMovedRoomIsRestoredWhereItIs) {
  const Guest& ann = Enter("ann");
  Move("chat-1", "chat-3");
  EXPECT_THAT(Calls(), ElementsAre("chat-3: moved lobby(ann)"));
  EXPECT_EQ(servers_.calls[0].request.rooms(0).recent_events_size(), 0);
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-3 by 30");
}

TEST_F(RestorerTest, ARoomThatMovedToAServerThatIsNotKnownYetWaitsForIt) {
  const Guest& ann = Enter("ann");
  Move("chat-1", "chat-4");
  RunLater();
  EXPECT_THAT(Calls(), IsEmpty());
  Up("chat-4");
  EXPECT_THAT(Calls(), ElementsAre("chat-4: chat-4/0", "chat-4: moved lobby(ann)")) << "without a pause";
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-4 by 40");
  RunLater();
  EXPECT_THAT(Calls(), IsEmpty());
}

TEST_F(RestorerTest, ARoomThatMovedToAServerThatDoesNotComeIsAskedForElsewhereInTheEnd) {
  const Guest& ann = Enter("ann");
  Lose("chat-3");
  AnswerAll();
  Move("chat-1", "chat-3");
  for (int tries = 0; tries < 10; ++tries) {
    EXPECT_THAT(Calls(), IsEmpty()) << "it may be about to come back";
    RunLater();
  }
  EXPECT_THAT(Calls(), ElementsAre("chat-2: moved lobby(ann)"));
  Answer("chat-2", [](chat::v1::RestoredRoom& room) {
    room.set_outcome(chat::v1::RESTORE_OUTCOME_ELSEWHERE);
    room.set_owner("chat-3");
  });
  EXPECT_THAT(Calls(), IsEmpty()) << "after a pause";
  RunLater();
  // It has given the room to chat-2 meanwhile, and is no more.
  Answer("chat-2");
  EXPECT_EQ(At(ann), "chat-2 by 20");
}

TEST_F(RestorerTest, ThePlaceOfASessionThatHasLeftMeanwhileIsTakenBack) {
  Guest& ann = Enter("ann");
  const Guest& bob = Enter("bob");
  Guest& cat = Enter("cat");
  Lose("chat-1");
  Do([&] {
    ann.Leave();
    cat.Leave();
  });
  Answer("chat-2", [](chat::v1::RestoredRoom& room) { room.add_replaced(2); });
  EXPECT_THAT(servers_.kicks, ElementsAre("chat-2: ann of lobby by 20/1")) << "cat's is another's by now";
  EXPECT_EQ(At(bob), "chat-2 by 20");
}

TEST_F(RestorerTest, AUserWhoHasLeftIsNotRestoredForEver) {
  Guest& ann = Enter("ann");
  Lose("chat-1");
  Answer("chat-3");
  Do([&] { ann.Leave(); });
  int asked = 0;
  while (!servers_.calls.empty() && asked < 1'000) {
    ++asked;
    Answer("chat-2", [](chat::v1::RestoredRoom& room) { room.set_outcome(chat::v1::RESTORE_OUTCOME_LATER); });
    RunLater();
  }
  EXPECT_GT(asked, 10);
  EXPECT_LT(asked, 200);
}

TEST_F(RestorerTest, AReplacedSessionIsSentAwayWithoutAPlace) {
  const Guest& ann = Enter("ann");
  const Guest& bob = Enter("bob");
  Lose("chat-1");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) { room.add_replaced(0); });
  EXPECT_THAT(ann.session.connection.log.front(), HasSubstr("replaced"));
  EXPECT_FALSE(ann.place->joined());
  EXPECT_NE(ann.place->state(), Membership::State::kRestoring);
  EXPECT_THAT(bob.session.connection.log, IsEmpty());
  EXPECT_EQ(At(bob), "chat-2 by 20");
}

TEST_F(RestorerTest, AClientThatCannotBeToldWhatItMissedIsSentAwayToComeBack) {
  const Guest& ann = Enter("ann");
  Lose("chat-1");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) { room.set_recovered(false); });
  EXPECT_THAT(ann.session.connection.log.front(), HasSubstr("reconnect"));
  EXPECT_EQ(At(ann), "chat-2 by 20") << "it has a place to leave";
}

TEST_F(RestorerTest, WhatWasMissedIsShownAndRemembered) {
  const Guest& ann = Enter("ann", "lobby", 3);
  Lose("chat-1");
  Answer("chat-2", [](chat::v1::RestoredRoom& room) {
    room.set_epoch(kEpoch + 1);
    room.set_offset(0);
    chat::v1::Event& missed = *room.add_missed_events();
    missed.set_room("lobby");
    missed.set_epoch(kEpoch);
    missed.set_offset(4);
    missed.mutable_message()->set_target("*");
  });
  EXPECT_THAT(ann.session.connection.log, ElementsAre(HasSubstr("onChat")));
  EXPECT_EQ(ann.place->seen().epoch, kEpoch + 1);
  Do([&] { EXPECT_EQ(rooms_.LastEventsOf("lobby")->events().back().event->offset(), 4u); });
}

TEST_F(RestorerTest, AMoveWhileACallIsUnderWayIsFollowedAfterIt) {
  const Guest& ann = Enter("ann");
  Move("chat-1", "chat-2");
  Move("chat-2", "chat-3");
  EXPECT_THAT(Calls(), ElementsAre("chat-2: moved lobby(ann)"));
  Answer("chat-2");
  EXPECT_THAT(Calls(), ElementsAre("chat-3: moved lobby(ann)"));
  Answer("chat-3");
  EXPECT_EQ(At(ann), "chat-3 by 30");
}

TEST_F(RestorerTest, AnotherLeaseWhileACallIsUnderWayIsNoticedAfterIt) {
  const Guest& ann = Enter("ann");
  Move("chat-1", "chat-2");
  Up("chat-2", /*incarnation=*/1, /*lease=*/21);
  Answer("chat-2");
  EXPECT_THAT(Calls(), ElementsAre("chat-2: moved lobby(ann)"));
  Answer("chat-2");
  EXPECT_EQ(At(ann), "chat-2 by 21");
}

TEST_F(RestorerTest, ALossOfTheServerThatIsAskedMovesOnToTheNext) {
  const Guest& ann = Enter("ann");
  Lose("chat-1");
  Answer("chat-3");
  servers_.best = "chat-3";
  Lose("chat-2");
  EXPECT_THAT(Calls(), Contains("chat-3: chat-2/1"));
  Fail("chat-2");
  Answer("chat-3");
  RunLater();
  EXPECT_THAT(Calls(), ElementsAre("chat-3: chat-1/1 lobby(ann)"));
  Answer("chat-3");
  EXPECT_EQ(At(ann), "chat-3 by 30");
}

TEST_F(RestorerTest, ARoomThatWaitsForItsNewServerIsLostWithThat) {
  const Guest& ann = Enter("ann");
  servers_.best = "chat-3";
  Move("chat-1", "chat-2");
  Fail("chat-2");
  Lose("chat-2");
  EXPECT_THAT(Calls(), ElementsAre("chat-1: chat-2/1", "chat-3: chat-2/1 lobby(ann)"));
  AnswerAll();
  EXPECT_EQ(At(ann), "chat-3 by 30");
}

TEST_F(RestorerTest, ARoomThatWasLostWithItsNewServerWhileACallIsUnderWayIsToldWithThatLoss) {
  const Guest& ann = Enter("ann");
  servers_.best = "chat-3";
  Move("chat-1", "chat-2");
  Lose("chat-2");
  AnswerLoss();
  Fail("chat-2");
  RunLater();
  EXPECT_THAT(Calls(), ElementsAre("chat-3: chat-2/1 lobby(ann)"));
  Answer("chat-3");
  EXPECT_EQ(At(ann), "chat-3 by 30");
}

TEST_F(RestorerTest, ARoomThatIsUnderWayToAServerThatIsRestartedIsToldWithThatLoss) {
  Enter("ann");
  Move("chat-1", "chat-2");
  Up("chat-2", /*incarnation=*/2, /*lease=*/21);
  Fail("chat-2");
  AnswerLoss();
  RunLater();
  EXPECT_THAT(Calls(), ElementsAre("chat-2: chat-2/1 lobby(ann)"));
}

TEST_F(RestorerTest, AServerThatComesLaterIsToldOfTheLossesThatAreKnown) {
  Lose("chat-1");
  AnswerAll();
  Up("chat-4");
  EXPECT_THAT(Calls(), ElementsAre("chat-4: chat-1/1", "chat-4: chat-4/0"));
}

TEST_F(RestorerTest, AServerThatDoesNotBelieveInALossIsToldAgainButNotForEver) {
  Lose("chat-1");
  Answer("chat-2");
  int told = 0;
  while (!servers_.calls.empty() && told < 1'000) {
    EXPECT_THAT(Calls(), ElementsAre("chat-3: chat-1/1"));
    ++told;
    Fail("chat-3", absl::FailedPreconditionError("it is not lost"));
    RunLater();
  }
  EXPECT_GT(told, 10);
  EXPECT_LT(told, 100);
}

TEST_F(RestorerTest, APlaceThatWasGivenUnderALeaseThatIsNoMoreIsRestored) {
  Guest& ann = Enter("ann");
  Do([&] { restorer_.CheckLease(*ann.place); });
  EXPECT_THAT(Calls(), IsEmpty()) << "it stands";
  Do([&] {
    ann.place->BeginRestore();
    ann.place->Asked({.server = "chat-1", .lease = 9, .incarnation = 1});
    rooms_.Joined(*ann.place, {kEpoch, 0});
    restorer_.CheckLease(*ann.place);
  });
  EXPECT_THAT(Calls(), ElementsAre("chat-1: moved lobby(ann)"));
}

}  // namespace
}  // namespace hubbub::connector
