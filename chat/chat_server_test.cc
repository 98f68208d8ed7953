#include "chat/chat_server.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chat/peer_links.h"
#include "chat/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

ServerInfo Chat(const std::string& id, uint16_t port) {
  ServerInfo info;
  info.kind = ServerKind::kChat;
  info.id = id;
  info.host = "127.0.0.1";
  info.port = port;
  return info;
}

std::shared_ptr<const ServerList> Servers(std::vector<ServerInfo> chats) {
  auto list = std::make_shared<ServerList>();
  list->chats = std::move(chats);
  return list;
}

// A room that `id` owns.
std::string RoomOf(const ServerList& servers, const std::string& id) {
  for (int i = 0;; ++i) {
    std::string room = fmt::format("room{}", i);
    if (servers.OwnerOf(room)->id == id) return room;
  }
}

std::unique_ptr<ChatServer> Start(const std::string& id, const std::shared_ptr<const ServerList>& servers) {
  ChatServerOptions options;
  options.id = id;
  auto started = ChatServer::Start(options, servers);
  EXPECT_TRUE(started.ok()) << started.status();
  return *std::move(started);
}

std::unique_ptr<v1::ChatService::Stub> StubOf(const ChatServer& server) {
  return v1::ChatService::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", server.port()), grpc::InsecureChannelCredentials()));
}

grpc::Status Send(v1::ChatService::Stub& stub, const std::string& room) {
  v1::SendRequest request;
  request.set_room(room);
  request.set_from("system");
  request.set_content("hi");
  v1::SendResponse response;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  return stub.Send(&context, request, &response);
}

v1::AddRequest AddOf(const std::string& room, const std::string& user, const TestStream& stream,
                     uint64_t session = 1) {
  v1::AddRequest add;
  add.set_room(room);
  add.set_user(user);
  add.set_lease(stream.lease);
  add.set_session(session);
  add.set_token("token of " + user);
  return add;
}

grpc::Status Add(v1::ChatService::Stub& stub, const v1::AddRequest& request) {
  v1::AddResponse response;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  return stub.Add(&context, request, &response);
}

grpc::Status Restore(v1::ChatService::Stub& stub, const v1::RestoreRequest& request,
                     v1::RestoreResponse* response) {
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  return stub.Restore(&context, request, response);
}

v1::RestoreRequest RestoreOf(const TestStream& stream, const std::string& lost) {
  v1::RestoreRequest request;
  request.set_lease(stream.lease);
  request.set_lost_server(lost);
  request.set_calls(1);
  return request;
}

v1::RoomPlaces& AddPlace(v1::RestoreRequest& request, const std::string& room, const std::string& user,
                         uint64_t epoch, uint64_t offset) {
  v1::RoomPlaces& places = *request.add_rooms();
  places.set_room(room);
  places.set_epoch(epoch);
  places.set_offset(offset);
  v1::RestoredPlace& place = *places.add_places();
  place.set_user(user);
  place.set_session(1);
  place.set_token("token of " + user);
  return places;
}

// Two chat servers that know each other.
class TwoChatServersTest : public ::testing::Test {
 protected:
  TwoChatServersTest() {
    // The ports are not known before the servers run: each begins alone, as far as it knows.
    one_ = Start("chat-1", Servers({Chat("chat-1", 1)}));
    two_ = Start("chat-2", Servers({Chat("chat-2", 1)}));
    both_ = Servers({Chat("chat-1", one_->port()), Chat("chat-2", two_->port())});
    to_one_ = StubOf(*one_);
    to_two_ = StubOf(*two_);
  }
  void Meet() {
    one_->Update(both_);
    two_->Update(both_);
  }
  // A room of this server, which both would make by now.
  std::string SettledRoomOf(const std::string& id) {
    const std::string room = RoomOf(*both_, id);
    EXPECT_TRUE(WaitUntil([&] { return Send(*to_one_, room).ok() && Send(*to_two_, room).ok(); }));
    return room;
  }

  std::unique_ptr<ChatServer> one_;
  std::unique_ptr<ChatServer> two_;
  std::shared_ptr<const ServerList> both_;
  std::unique_ptr<v1::ChatService::Stub> to_one_;
  std::unique_ptr<v1::ChatService::Stub> to_two_;
};

TEST_F(TwoChatServersTest, ARoomGoesToItsOwnerWithAllThatItHolds) {
  const std::string room = RoomOf(*both_, "chat-2");
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  ASSERT_TRUE(Add(*to_one_, AddOf(room, "ann", stream)).ok());
  ASSERT_TRUE(Send(*to_one_, room).ok());
  ASSERT_TRUE(stream.ReadEvents(2));

  Meet();
  ASSERT_TRUE(stream.ReadEvents(3));
  EXPECT_EQ(stream.events[2].moved().server(), "chat-2");
  EXPECT_TRUE(WaitUntil([&] { return two_->rooms() == 1 && one_->rooms() == 0; }));

  // What is said before the connector has its places back is not missed.
  ASSERT_TRUE(Send(*to_one_, room).ok()) << "passed on";
  TestStream there(*to_two_, "connector-1");
  ASSERT_TRUE(there.Read());
  v1::RestoreRequest request = RestoreOf(there, "");
  AddPlace(request, room, "ann", stream.events[1].epoch(), 2);
  v1::RestoreResponse response;
  ASSERT_TRUE(Restore(*to_two_, request, &response).ok());
  ASSERT_EQ(response.rooms_size(), 1);
  const v1::RestoredRoom& restored = response.rooms(0);
  EXPECT_EQ(restored.outcome(), v1::RESTORE_OUTCOME_RESTORED);
  EXPECT_EQ(restored.epoch(), stream.events[1].epoch()) << "the same life of the room";
  EXPECT_EQ(restored.offset(), 3u);
  EXPECT_TRUE(restored.recovered());
  ASSERT_EQ(restored.missed_events_size(), 1);
  EXPECT_EQ(restored.missed_events(0).offset(), 3u);
  ASSERT_TRUE(Send(*to_one_, room).ok());
  ASSERT_TRUE(there.ReadEvents(1));
  EXPECT_EQ(there.events[0].offset(), 4u) << "nobody came, nobody left";
}

TEST_F(TwoChatServersTest, AnAddIsForTheOwnerAloneWhichIsNamed) {
  Meet();
  const std::string room = SettledRoomOf("chat-2");
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  const grpc::Status status = Add(*to_one_, AddOf(room, "ann", stream));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              HasSubstr(fmt::format("belongs to chat server \"chat-2\" at 127.0.0.1:{}", two_->port())));
}

TEST_F(TwoChatServersTest, AServerThatDrainsGivesItsRoomsAway) {
  Meet();
  const std::string room = SettledRoomOf("chat-1");
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  ASSERT_TRUE(Add(*to_one_, AddOf(room, "ann", stream)).ok());
  one_->Drain(std::chrono::seconds(10));
  EXPECT_EQ(one_->rooms(), 0u);
  EXPECT_EQ(two_->rooms(), 1u);
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  ASSERT_FALSE(stream.events.empty());
  EXPECT_EQ(stream.events.back().moved().server(), "chat-2") << "told before the stream ended";
}

TEST_F(TwoChatServersTest, TheRoomsOfALostServerBeginAnewWhenAllConnectorsHaveTold) {
  Meet();
  const std::string room = SettledRoomOf("chat-1");
  TestStream first(*to_two_, "connector-1");
  TestStream second(*to_two_, "connector-2");
  ASSERT_TRUE(first.Read() && second.Read());
  auto at_lost = std::make_unique<TestStream>(*to_one_, "connector-1");
  ASSERT_TRUE(at_lost->Read());
  const uint64_t incarnation = at_lost->batches[0].incarnation();
  // Each of them had a member there; only the first had the last event.
  v1::RestoreRequest from_first = RestoreOf(first, "chat-1");
  from_first.set_lost_incarnation(incarnation);
  v1::Event& last = *AddPlace(from_first, room, "ann", 7, 5).add_recent_events();
  last.set_room(room);
  last.set_epoch(7);
  last.set_offset(5);
  last.set_time_ms(1);  // Whatever the clocks say: an hour ago, or 1970.
  last.set_age_ms(2'000);
  last.mutable_message()->set_from("ann");
  last.mutable_message()->set_target("*");
  last.mutable_message()->set_content("the last words");
  last.mutable_message()->set_id("n-5");
  v1::RestoreRequest from_second = RestoreOf(second, "chat-1");
  from_second.set_lost_incarnation(incarnation);
  AddPlace(from_second, room, "bob", 7, 4);

  v1::RestoreResponse refused;
  const grpc::Status early = Restore(*to_two_, from_first, &refused);
  EXPECT_EQ(early.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(early.error_message(), HasSubstr("is not lost"));

  at_lost.reset();
  to_one_.reset();
  one_.reset();
  v1::RestoreResponse to_first;
  v1::RestoreResponse to_second;
  std::jthread asks(
      [&] { EXPECT_TRUE(WaitUntil([&] { return Restore(*to_two_, from_first, &to_first).ok(); })); });
  EXPECT_TRUE(WaitUntil([&] { return Restore(*to_two_, from_second, &to_second).ok(); }));
  asks.join();
  ASSERT_EQ(to_first.rooms_size(), 1);
  ASSERT_EQ(to_second.rooms_size(), 1);
  for (const v1::RestoreResponse* response : {&to_first, &to_second}) {
    EXPECT_EQ(response->rooms(0).outcome(), v1::RESTORE_OUTCOME_RESTORED);
    EXPECT_EQ(response->rooms(0).total(), 2u) << "nobody is answered before all are back";
    EXPECT_TRUE(response->rooms(0).recovered());
  }
  EXPECT_EQ(to_first.rooms(0).missed_events_size(), 0);
  ASSERT_EQ(to_second.rooms(0).missed_events_size(), 1);
  EXPECT_EQ(to_second.rooms(0).missed_events(0).message().content(), "the last words");

  // Its send is known here too.
  v1::SendRequest again;
  again.set_room(room);
  again.set_from("ann");
  again.set_content("the last words");
  again.set_id("n-5");
  v1::SendResponse answer;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  ASSERT_TRUE(to_two_->Send(&context, again, &answer).ok());
  EXPECT_TRUE(answer.repeated());
  EXPECT_EQ(answer.epoch(), 7u);
  EXPECT_EQ(answer.offset(), 5u);

  EXPECT_EQ(two_->servers_lost(), 1u);
  EXPECT_EQ(two_->room_counts().restored, 1u);
  EXPECT_EQ(two_->room_counts().places, 2u);
}

v1::ImportResponse Import(const ChatServer& server, const v1::ImportRequest& request) {
  const auto stub = v1::PeerService::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", server.port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  v1::ImportResponse response;
  const grpc::Status status = stub->Import(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

TEST_F(TwoChatServersTest, TakesOnlyItsOwnRoomsAndABatchThatComesAgainChangesNothing) {
  Meet();
  (void)SettledRoomOf("chat-1");
  const auto fresh_room_of = [this](const std::string& id) {
    for (int i = 0;; ++i) {
      std::string room = fmt::format("fresh-{}", i);
      if (both_->OwnerOf(room)->id == id) return room;
    }
  };
  const std::string fresh = fresh_room_of("chat-1");
  const std::string others_room = fresh_room_of("chat-2");

  v1::ImportRequest request;
  request.set_server("chat-3");
  request.set_incarnation(5);
  request.set_batch(1);
  for (const std::string& room : {fresh, others_room}) {
    v1::RoomState& state = *request.add_rooms();
    state.set_room(room);
    state.set_epoch(7);
  }
  const size_t before = one_->rooms();
  const v1::ImportResponse first = Import(*one_, request);
  ASSERT_EQ(first.refused_size(), 1);
  EXPECT_EQ(first.refused(0), others_room);
  EXPECT_THAT(first.reason(), HasSubstr("belongs to chat server \"chat-2\""));
  EXPECT_EQ(one_->rooms(), before + 1);

  // The same number is the same batch, whatever has become of its rooms.
  request.mutable_rooms(0)->set_room(fresh + "-again");
  const v1::ImportResponse again = Import(*one_, request);
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(one_->rooms(), before + 1);
}

TEST(ChatServerTest, AnotherServerThatCanNotBeOneIsToldSo) {
  const auto server = Start("chat-1", Servers({Chat("chat-1", 1)}));
  const auto peers = v1::PeerService::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", server->port()), grpc::InsecureChannelCredentials()));
  const struct {
    std::string id;
    uint32_t contract;
    std::string text;
  } cases[] = {
      {"chat-2", kPeerContract + 1, "run the same version of both"},
      {"chat-1", kPeerContract, "give one of them another --id"},
  };
  for (const auto& c : cases) {
    v1::WatchRequest request;
    request.set_server(c.id);
    request.set_contract(c.contract);
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    const auto stream = peers->Watch(&context, request);
    v1::WatchResponse status;
    EXPECT_FALSE(stream->Read(&status));
    const grpc::Status end = stream->Finish();
    EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_THAT(end.error_message(), HasSubstr(c.text));
  }
}

TEST(ChatServerTest, DrainEndsTheStreamsAndReturns) {
  const auto server = Start("chat-1", Servers({Chat("chat-1", 1)}));
  const auto stub = StubOf(*server);
  TestStream stream(*stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  server->Tick();
  server->Drain(std::chrono::seconds(10));
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "chat server \"chat-1\" is shutting down");
}

TEST(ChatServerTest, APortThatIsTakenIsSaidSo) {
  const auto server = Start("chat-1", Servers({Chat("chat-1", 1)}));
  ChatServerOptions options;
  options.id = "chat-2";
  options.listen_port = server->port();
  const auto second = ChatServer::Start(options, Servers({}));
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(std::to_string(server->port())));
}

}  // namespace
}  // namespace hubbub::chat
