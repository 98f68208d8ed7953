#include "chat/connectors/chat_service.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chat/testing/test_server.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ChatServiceTest : public ::testing::Test {
 protected:
  ChatServiceTest() { EXPECT_TRUE(stream_.Read()); }

  v1::AddRequest AddOf(const std::string& room, const std::string& user, uint64_t session = 1) const {
    v1::AddRequest request;
    request.set_room(room);
    request.set_user(user);
    request.set_lease(stream_.lease);
    request.set_session(session);
    return request;
  }
  grpc::Status Add(const v1::AddRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    return server_.stub->Add(&context, request, &added_);
  }
  grpc::Status Send(const std::string& room, const std::string& from, const std::string& target,
                    const std::string& content) {
    v1::SendRequest request;
    request.set_room(room);
    request.set_from(from);
    request.set_target(target);
    request.set_content(content);
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    return server_.stub->Send(&context, request, &sent_);
  }
  grpc::Status Kick(const std::string& room, const std::string& user, uint64_t lease = 0,
                    uint64_t session = 0) {
    v1::KickRequest request;
    request.set_room(room);
    request.set_user(user);
    request.set_lease(lease);
    request.set_session(session);
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    return server_.stub->Kick(&context, request, &kicked_);
  }
  grpc::Status GetRoom(const std::string& room) {
    v1::GetRoomRequest request;
    request.set_room(room);
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    return server_.stub->GetRoom(&context, request, &room_);
  }
  grpc::Status ListRooms(int page_size, const std::string& token) {
    v1::ListRoomsRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    return server_.stub->ListRooms(&context, request, &list_);
  }

  TestServer server_;
  TestStream stream_{*server_.stub, "connector-1"};
  v1::AddResponse added_;
  v1::SendResponse sent_;
  v1::KickResponse kicked_;
  v1::GetRoomResponse room_;
  v1::ListRoomsResponse list_;
};

TEST_F(ChatServiceTest, TheLifeOfARoom) {
  ASSERT_TRUE(Add(AddOf("lobby", "ann", 1)).ok());
  ASSERT_TRUE(Add(AddOf("lobby", "bob", 2)).ok());
  EXPECT_THAT(added_.users(), ElementsAre("ann", "bob"));
  EXPECT_EQ(added_.offset(), 2u);
  EXPECT_FALSE(added_.resumed());
  ASSERT_TRUE(Send("lobby", "ann", "", "hi").ok());
  EXPECT_EQ(sent_.offset(), 3u);
  EXPECT_EQ(sent_.epoch(), added_.epoch());
  EXPECT_EQ(sent_.recipients(), 2u);
  EXPECT_GT(sent_.time_ms(), 0);
  ASSERT_TRUE(Kick("lobby", "bob", stream_.lease, 2).ok());
  EXPECT_EQ(kicked_.offset(), 4u);

  ASSERT_TRUE(GetRoom("lobby").ok());
  EXPECT_EQ(room_.room(), "lobby");
  EXPECT_EQ(room_.epoch(), added_.epoch());
  EXPECT_EQ(room_.offset(), 4u);
  ASSERT_EQ(room_.members_size(), 1);
  EXPECT_EQ(room_.members(0).user(), "ann");
  EXPECT_EQ(room_.members(0).connector(), "connector-1");
  EXPECT_EQ(room_.members(0).session(), 1u);

  ASSERT_TRUE(stream_.ReadEvents(4));
  EXPECT_EQ(stream_.events[1].joined().user(), "bob");
  EXPECT_EQ(stream_.events[2].message().target(), "*") << "an empty target means everybody, in one word";
  EXPECT_EQ(stream_.events[3].left().user(), "bob");
}

TEST_F(ChatServiceTest, AResumeTokenTakesThePlaceOver) {
  v1::AddRequest first = AddOf("lobby", "ann", 1);
  first.set_token("secret");
  ASSERT_TRUE(Add(first).ok());
  v1::AddRequest second = AddOf("lobby", "ann", 2);
  EXPECT_EQ(Add(second).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  second.set_resume_token("secret");
  ASSERT_TRUE(Add(second).ok());
  EXPECT_TRUE(added_.resumed());
  ASSERT_TRUE(stream_.ReadEvents(2));
  EXPECT_EQ(stream_.events[1].replaced().user(), "ann");
  EXPECT_EQ(stream_.events[1].replaced().session(), 1u);
  EXPECT_EQ(stream_.events[1].offset(), 0u);
}

// They wait a moment for each other, and nothing else need come.
TEST_F(ChatServiceTest, EverybodyIsToldOfAllWhoComeAtATimeInTheirOrder) {
  constexpr int kUsers = 60;
  for (int i = 0; i < kUsers; ++i) {
    ASSERT_TRUE(Add(AddOf("lobby", fmt::format("user-{}", i), static_cast<uint64_t>(i) + 1)).ok());
  }
  ASSERT_TRUE(stream_.ReadEvents(kUsers));
  for (int i = 0; i < kUsers; ++i)
    EXPECT_EQ(stream_.events[static_cast<size_t>(i)].joined().user(), fmt::format("user-{}", i));
  ASSERT_TRUE(Kick("lobby", "user-7").ok());
  ASSERT_TRUE(Send("lobby", "user-1", "*", "hi").ok());
  ASSERT_TRUE(stream_.ReadEvents(kUsers + 2));
  EXPECT_EQ(stream_.events[kUsers].left().user(), "user-7");
  EXPECT_EQ(stream_.events[kUsers + 1].message().content(), "hi");
}

TEST_F(ChatServiceTest, RoomsAreListedInPages) {
  for (const char* room : {"c", "a", "d", "b"}) ASSERT_TRUE(Add(AddOf(room, "ann")).ok());
  const auto names = [this] {
    std::vector<std::string> rooms;
    for (const v1::RoomSummary& r : list_.rooms()) rooms.push_back(r.room());
    return rooms;
  };
  ASSERT_TRUE(ListRooms(3, "").ok());
  EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(list_.rooms(0).members(), 1u);
  EXPECT_EQ(list_.rooms(0).offset(), 1u);
  ASSERT_TRUE(ListRooms(3, list_.next_page_token()).ok());
  EXPECT_THAT(names(), ElementsAre("d"));
  EXPECT_EQ(list_.next_page_token(), "");
  ASSERT_TRUE(ListRooms(0, "").ok());
  EXPECT_EQ(list_.rooms_size(), 4);
  ASSERT_TRUE(ListRooms(1'000'000, "").ok()) << "the most allowed, not an error";
}

TEST_F(ChatServiceTest, EveryWrongFieldIsNamed) {
  const std::string long_name(65, 'x');
  const std::string long_token(129, 'x');
  const auto add = [this](const std::function<void(v1::AddRequest&)>& change) {
    v1::AddRequest request = AddOf("lobby", "ann");
    change(request);
    return Add(request);
  };
  const auto subscribe = [this](const std::string& connector, uint64_t lease) {
    return TestStream(*server_.stub, connector, lease).Finish();
  };
  struct Case {
    const char* field;
    grpc::Status status;
  };
  const auto restore = [this](const std::function<void(v1::RestoreRequest&)>& change) {
    v1::RestoreRequest request;
    request.set_lease(stream_.lease);
    for (int room = 0; room < 2; ++room) {
      v1::RoomPlaces& places = *request.add_rooms();
      places.set_room(fmt::format("room{}", room));
      for (int i = 0; i < 3; ++i) {
        v1::RestoredPlace& place = *places.add_places();
        place.set_user(fmt::format("user{}", i));
        place.set_session(1);
      }
    }
    change(request);
    v1::RestoreResponse response;
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    return server_.stub->Restore(&context, request, &response);
  };
  const std::vector<Case> cases = {
      {"room ", add([](v1::AddRequest& r) { r.clear_room(); })},
      {"room ", add([&](v1::AddRequest& r) { r.set_room(long_name); })},
      {"user ", add([](v1::AddRequest& r) { r.set_user("a\nb"); })},
      {"lease ", add([](v1::AddRequest& r) { r.clear_lease(); })},
      {"session ", add([](v1::AddRequest& r) { r.clear_session(); })},
      {"token ", add([&](v1::AddRequest& r) { r.set_token(long_token); })},
      {"resume_token ", add([&](v1::AddRequest& r) { r.set_resume_token(long_token); })},
      {"room ", Send("", "ann", "*", "hi")},
      {"from ", Send("lobby", "", "*", "hi")},
      {"target ", Send("lobby", "ann", long_name, "hi")},
      {"content ", Send("lobby", "ann", "*", std::string((size_t{32} << 10) + 1, 'x'))},
      {"room ", Kick("", "ann")},
      {"user ", Kick("lobby", "")},
      {"session ", Kick("lobby", "ann", 7, 0)},
      {"lease ", Kick("lobby", "ann", 0, 7)},
      {"room ", GetRoom("")},
      {"page_size ", ListRooms(-1, "")},
      {"page_size ", ListRooms(INT32_MIN, "")},
      {"page_token ", ListRooms(1, long_name)},
      {"page_token ", ListRooms(1, "lobby")},
      {"page_token ", ListRooms(1, "0")},
      {"page_token ", ListRooms(1, " ")},
      {"page_token ", ListRooms(1, std::string(1'000'000, 'a'))},
      {"lease ", restore([](v1::RestoreRequest& r) { r.clear_lease(); })},
      {"rooms[0].room is empty", restore([](v1::RestoreRequest& r) { r.mutable_rooms(0)->clear_room(); })},
      {"rooms[1].places[2].user is empty",
       restore([](v1::RestoreRequest& r) { r.mutable_rooms(1)->mutable_places(2)->clear_user(); })},
      {"rooms[1].places[0].session is 0",
       restore([](v1::RestoreRequest& r) { r.mutable_rooms(1)->mutable_places(0)->clear_session(); })},
      {"rooms[0].places[1].token ",
       restore([&](v1::RestoreRequest& r) { r.mutable_rooms(0)->mutable_places(1)->set_token(long_token); })},
      {"connector ", subscribe("", 0)},
      {"connector ", subscribe(long_name, 0)},
      {"next_seq ", subscribe("connector-1", stream_.lease)},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(cases[i].status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << "case " << i;
    EXPECT_THAT(cases[i].status.error_message(), StartsWith(cases[i].field)) << "case " << i;
  }
}

TEST_F(ChatServiceTest, WhatIsNotThereOrIsThereAlreadyIsNamed) {
  ASSERT_TRUE(Add(AddOf("lobby", "ann")).ok());
  v1::AddRequest unknown_lease = AddOf("lobby", "bob");
  unknown_lease.set_lease(stream_.lease + 1);
  struct Case {
    grpc::StatusCode code;
    const char* text;
    grpc::Status status;
  };
  const std::vector<Case> cases = {
      {grpc::StatusCode::ALREADY_EXISTS, "user \"ann\" is in room \"lobby\"", Add(AddOf("lobby", "ann", 2))},
      {grpc::StatusCode::ALREADY_EXISTS, "by session 1 already", Add(AddOf("lobby", "ann", 1))},
      {grpc::StatusCode::FAILED_PRECONDITION, "is not known to chat server \"chat-1\"", Add(unknown_lease)},
      {grpc::StatusCode::NOT_FOUND, "target \"bob\" is not in room \"lobby\"",
       Send("lobby", "ann", "bob", "hi")},
      {grpc::StatusCode::NOT_FOUND, "room \"attic\" does not exist", Send("attic", "ann", "bob", "hi")},
      {grpc::StatusCode::NOT_FOUND, "user \"bob\" is not in room \"lobby\"", Kick("lobby", "bob")},
      {grpc::StatusCode::NOT_FOUND, "room \"attic\" does not exist", Kick("attic", "bob")},
      {grpc::StatusCode::NOT_FOUND, "room \"attic\" does not exist", GetRoom("attic")},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(c.status.error_code(), c.code) << c.text;
    EXPECT_THAT(c.status.error_message(), HasSubstr(c.text));
  }
  EXPECT_TRUE(Kick("lobby", "bob", stream_.lease, 9).ok()) << "a place that has ended already is no error";
  EXPECT_EQ(kicked_.offset(), 0u);
  EXPECT_TRUE(Kick("attic", "bob", stream_.lease, 9).ok());
}

TEST_F(ChatServiceTest, AfterShutdownNothingIsAccepted) {
  ASSERT_TRUE(Add(AddOf("lobby", "ann")).ok());
  server_.service.Shutdown();
  for (const grpc::Status& status :
       {Add(AddOf("lobby", "bob")), Send("lobby", "ann", "*", "hi"), Kick("lobby", "ann")}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(status.error_message(), "chat server \"chat-1\" is shutting down");
  }
}

// The promise behind an acknowledgement: a send that was answered with OK is delivered, even during shutdown.
TEST_F(ChatServiceTest, WhatWasAcknowledgedBeforeShutdownArrives) {
  ASSERT_TRUE(Add(AddOf("lobby", "ann")).ok());
  std::atomic<uint64_t> acknowledged = 0;
  std::thread sender([&] {
    while (Send("lobby", "ann", "*", "hi").ok()) acknowledged = sent_.offset();
  });
  EXPECT_TRUE(WaitUntil([&] { return acknowledged > 100; }));
  server_.service.Shutdown();
  sender.join();
  EXPECT_EQ(stream_.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_GE(stream_.events.back().offset(), acknowledged);
}

}  // namespace
}  // namespace hubbub::chat
