#include "chat/chat_server.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chat/cluster/peer_links.h"
#include "chat/testing/test_server.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"
#include "services/base/rendezvous.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

directory::ServerInfo Chat(const std::string& id, uint16_t port) {
  directory::ServerInfo info;
  info.kind = directory::ServerKind::kChat;
  info.id = id;
  info.host = "127.0.0.1";
  info.port = port;
  return info;
}

std::shared_ptr<const directory::ServerList> Servers(std::vector<directory::ServerInfo> chats) {
  auto list = std::make_shared<directory::ServerList>();
  list->chats = std::move(chats);
  return list;
}

// A room whose slot `id` should have while all servers of the list live.
std::string RoomOf(const directory::ServerList& servers, const std::string& id,
                   const std::string& prefix = "room") {
  for (int i = 0;; ++i) {
    std::string room = fmt::format("{}{}", prefix, i);
    if (RendezvousPick(servers.chats, SlotKey(SlotOf(room, kDefaultSlots)), [](const directory::ServerInfo&) {
          return true;
        })->id == id)
      return room;
  }
}

// A store of a test, which ends with it.
class TestStore {
 public:
  TestStore() : folder_(::testing::TempDir() + "hubbub-store-XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~TestStore() { std::filesystem::remove_all(folder_); }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  StoreOptions options() const {
    StoreOptions options;
    options.url = "sqlite:" + folder_ + "/store.db";
    return options;
  }

 private:
  std::string folder_;
};

std::unique_ptr<ChatServer> Start(const std::string& id,
                                  const std::shared_ptr<const directory::ServerList>& servers,
                                  const StoreOptions& store = {}, bool durable = false) {
  ChatServerOptions options;
  options.id = id;
  options.store = store;
  options.durable = durable;
  auto started = ChatServer::Start(options, servers);
  EXPECT_TRUE(started.ok()) << started.status();
  return *std::move(started);
}

std::unique_ptr<v1::ChatService::Stub> StubOf(const ChatServer& server) {
  return v1::ChatService::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", server.port()), grpc::InsecureChannelCredentials()));
}

grpc::Status Send(v1::ChatService::Stub& stub, const std::string& room, const std::string& id = "",
                  v1::SendResponse* answer = nullptr) {
  v1::SendRequest request;
  request.set_room(room);
  request.set_from("system");
  request.set_content("hi");
  request.set_id(id);
  v1::SendResponse response;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  return stub.Send(&context, request, answer == nullptr ? &response : answer);
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

// Two chat servers with one store, and history in memory. The second one begins when the test says so.
class TwoChatServersTest : public ::testing::Test {
 protected:
  explicit TwoChatServersTest(bool durable = false) : durable_(durable) {
    one_ = Start("chat-1", both_, store_.options(), durable_);
    to_one_ = StubOf(*one_);
    EXPECT_EQ(one_->slots(), kDefaultSlots);
  }
  void StartTwo() {
    two_ = Start("chat-2", both_, store_.options(), durable_);
    to_two_ = StubOf(*two_);
  }
  // Until each has the slots that it should have.
  void Settle() {
    StartTwo();
    EXPECT_TRUE(WaitUntil([&] {
      return one_->slots() + two_->slots() == kDefaultSlots && one_->slots() < 700 && two_->slots() < 700 &&
             Send(*to_one_, RoomOf(*both_, "chat-1", "settled")).ok() &&
             Send(*to_two_, RoomOf(*both_, "chat-2", "settled")).ok();
    }));
  }

  // The first server ends, and two connectors tell the second one what they held there.
  void LoseOne(const v1::RestoreRequest& from_first, v1::RestoreResponse& to_first,
               const v1::RestoreRequest& from_second, v1::RestoreResponse& to_second) {
    to_one_.reset();
    one_.reset();
    // Each is answered when both have told.
    std::jthread asks(
        [&] { EXPECT_TRUE(WaitUntil([&] { return Restore(*to_two_, from_first, &to_first).ok(); })); });
    EXPECT_TRUE(WaitUntil([&] { return Restore(*to_two_, from_second, &to_second).ok(); }));
  }

  const bool durable_;
  const TestStore store_;
  // Where the servers listen the store tells them, and not the directory.
  const std::shared_ptr<const directory::ServerList> both_ = Servers({Chat("chat-1", 1), Chat("chat-2", 1)});
  std::unique_ptr<ChatServer> one_;
  std::unique_ptr<ChatServer> two_;
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

  StartTwo();
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
  Settle();
  const std::string room = RoomOf(*both_, "chat-2");
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  const grpc::Status status = Add(*to_one_, AddOf(room, "ann", stream));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              HasSubstr(fmt::format("belongs to chat server \"chat-2\" at 127.0.0.1:{}", two_->port())));
}

TEST_F(TwoChatServersTest, AServerThatDrainsGivesItsRoomsAway) {
  Settle();
  const std::string room = RoomOf(*both_, "chat-1");
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  ASSERT_TRUE(Add(*to_one_, AddOf(room, "ann", stream)).ok());
  one_->Drain(std::chrono::seconds(10));
  EXPECT_EQ(one_->rooms(), 0u);
  EXPECT_EQ(two_->slots(), kDefaultSlots);
  EXPECT_GE(two_->rooms(), 1u);
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  ASSERT_FALSE(stream.events.empty());
  EXPECT_EQ(stream.events.back().moved().server(), "chat-2") << "told before the stream ended";
}

TEST_F(TwoChatServersTest, AServerThatDrainsWaitsForOneThatCouldHaveItsRooms) {
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  ASSERT_TRUE(Add(*to_one_, AddOf("lobby", "ann", stream)).ok());
  std::jthread drain([&] { one_->Drain(std::chrono::seconds(20)); });
  // In a rollout the one before is back just now.
  const auto health = grpc::health::v1::Health::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", one_->port()), grpc::InsecureChannelCredentials()));
  ASSERT_TRUE(WaitUntil([&] {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckResponse response;
    return health->Check(&context, {}, &response).ok() &&
           response.status() == grpc::health::v1::HealthCheckResponse::NOT_SERVING;
  }));
  StartTwo();
  drain.join();
  EXPECT_EQ(one_->rooms(), 0u);
  EXPECT_EQ(two_->rooms(), 1u);
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(stream.events.back().moved().server(), "chat-2") << "told before the stream ended";
}

TEST_F(TwoChatServersTest, AServerWhoseRoomsAreEmptyWaitsForNobody) {
  ASSERT_TRUE(Send(*to_one_, "lobby").ok());
  // If it waited, this test would last as long.
  one_->Drain(std::chrono::hours(1));
  EXPECT_EQ(one_->rooms(), 1u) << "nobody could have it";
}

TEST_F(TwoChatServersTest, AServerWhoseConnectorsHaveGoneWaitsForNobody) {
  {
    TestStream stream(*to_one_, "connector-1");
    ASSERT_TRUE(stream.Read());
    ASSERT_TRUE(Add(*to_one_, AddOf("lobby", "ann", stream)).ok());
  }
  // If it waited, this test would last as long.
  one_->Drain(std::chrono::hours(1));
  EXPECT_EQ(one_->rooms(), 1u) << "nobody could have it";
}

TEST_F(TwoChatServersTest, ServersThatEndTogetherWaitForNobody) {
  Settle();
  TestStream to_first(*to_one_, "connector-1");
  ASSERT_TRUE(to_first.Read());
  ASSERT_TRUE(Add(*to_one_, AddOf(RoomOf(*both_, "chat-1"), "ann", to_first)).ok());
  // If they waited, this test would last as long.
  std::jthread drain([&] { two_->Drain(std::chrono::hours(1)); });
  one_->Drain(std::chrono::hours(1));
}

TEST_F(TwoChatServersTest, TheRoomsOfALostServerBeginAnewWhenAllConnectorsHaveTold) {
  Settle();
  const std::string room = RoomOf(*both_, "chat-1");
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
  v1::RestoreResponse to_first;
  v1::RestoreResponse to_second;
  LoseOne(from_first, to_first, from_second, to_second);
  ASSERT_EQ(to_first.rooms_size(), 1);
  ASSERT_EQ(to_second.rooms_size(), 1);
  for (const v1::RestoreResponse* response : {&to_first, &to_second}) {
    EXPECT_EQ(response->rooms(0).outcome(), v1::RESTORE_OUTCOME_RESTORED) << response->rooms(0).reason();
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

  EXPECT_EQ(two_->store_counts().servers_lost, 1u);
  EXPECT_EQ(two_->room_counts().restored, 1u);
  EXPECT_EQ(two_->room_counts().places, 2u);
}

grpc::Status Import(const ChatServer& server, const v1::ImportRequest& request,
                    v1::ImportResponse* response) {
  const auto stub = v1::PeerService::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", server.port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  return stub->Import(&context, request, response);
}

TEST_F(TwoChatServersTest, OnlySlotsThatAreAsOfferedInTheStoreAreTaken) {
  // A third server, which this test is.
  auto third = *OpenStore(store_.options());
  ASSERT_TRUE(
      third->Register({.incarnation = 33, .id = "chat-3", .address = "127.0.0.1:1", .history = "memory"})
          .ok());
  one_->Drain(std::chrono::seconds(0));
  one_.reset();
  StartTwo();
  const StoreView view = *third->Read();
  v1::ImportRequest request;
  request.set_server("chat-3");
  request.set_incarnation(33);
  request.set_batch(1);
  v1::Slot& slot = *request.add_slots();
  slot.set_slot(7);
  slot.set_generation(view.slots[7].generation);
  v1::ImportResponse response;
  ASSERT_TRUE(Import(*two_, request, &response).ok());
  EXPECT_EQ(response.slots_size(), 0) << "chat-3 does not own it";
  EXPECT_THAT(response.reason(), HasSubstr("not as offered"));

  // The same number is the same batch, whatever it says.
  slot.set_generation(slot.generation() + 1);
  v1::ImportResponse again;
  ASSERT_TRUE(Import(*two_, request, &again).ok());
  EXPECT_EQ(again.SerializeAsString(), response.SerializeAsString());

  request.set_batch(2);
  slot.set_slot(1'000'000);
  const grpc::Status status = Import(*two_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("slots[0].slot is 1000000: there are 1024 slots"));
}

TEST_F(TwoChatServersTest, AServerThatWasTakenForGoneForgetsAndComesBack) {
  const std::string room = RoomOf(*both_, "chat-1");
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  const uint64_t run = stream.batches[0].incarnation();
  ASSERT_TRUE(Add(*to_one_, AddOf(room, "ann", stream)).ok());
  auto other = *OpenStore(store_.options());
  const StoreView view = *other->Read();
  ASSERT_EQ(view.servers.size(), 1u);
  // Whatever its beat is by then.
  EXPECT_TRUE(WaitUntil([&] {
    const StoreView now = *other->Read();
    for (const StoredServer& server : now.servers) {
      if (server.incarnation == run) return *other->MarkGone(run, server.beat);
    }
    return true;
  }));
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(one_->rooms(), 0u);
  TestStream again(*to_one_, "connector-1");
  ASSERT_TRUE(again.Read());
  EXPECT_NE(again.batches[0].incarnation(), run);
  EXPECT_TRUE(WaitUntil([&] { return Add(*to_one_, AddOf(room, "ann", again)).ok(); }));
}

TEST_F(TwoChatServersTest, ASecondProcessWithTheSameIdPutsTheFirstOneOut) {
  const auto twin = Start("chat-1", both_, store_.options());
  EXPECT_TRUE(WaitUntil([&] { return one_->failure().has_value(); }));
  EXPECT_THAT(std::string(one_->failure()->message()), HasSubstr("give one of them another --id"));
  EXPECT_TRUE(WaitUntil([&] { return twin->slots() == kDefaultSlots; }));
  EXPECT_FALSE(twin->failure());
}

TEST_F(TwoChatServersTest, HealthTellsOfTheStore) {
  const auto stub = grpc::health::v1::Health::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", one_->port()), grpc::InsecureChannelCredentials()));
  for (const char* name : {"", "hubbub.store"}) {
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    grpc::health::v1::HealthCheckResponse response;
    const grpc::Status status = stub->Check(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING) << name;
  }
}

TEST_F(TwoChatServersTest, AServerThatLeavesTheDirectoryGivesItsSlotsAway) {
  Settle();
  one_->Update(Servers({Chat("chat-2", 1)}));
  EXPECT_TRUE(WaitUntil([&] { return two_->slots() == kDefaultSlots && one_->slots() == 0; }));
  one_->Update(both_);
  EXPECT_TRUE(WaitUntil([&] { return one_->slots() > 300; })) << "it is back";
}

class DurableHistoryTest : public TwoChatServersTest {
 protected:
  DurableHistoryTest() : TwoChatServersTest(/*durable=*/true) {}

  // What an enter of `user`, who has seen messages up to `offset`, is answered.
  static v1::AddResponse Enter(v1::ChatService::Stub& stub, v1::AddRequest add, uint64_t epoch,
                               uint64_t offset) {
    add.set_resume_token(add.token());
    add.set_epoch(epoch);
    add.set_offset(offset);
    v1::AddResponse response;
    EXPECT_TRUE(WaitUntil([&] {
      grpc::ClientContext context;
      context.set_deadline(TestDeadline());
      return stub.Add(&context, add, &response).ok();
    }));
    return response;
  }
};

TEST_F(DurableHistoryTest, WhatWasAcknowledgedOutlivesItsServer) {
  const std::string room = RoomOf(*both_, "chat-1");
  v1::SendResponse first;
  ASSERT_TRUE(Send(*to_one_, room, "n-1", &first).ok()) << "into a room that has to be read";
  EXPECT_EQ(first.offset(), 1u);
  ASSERT_TRUE(Send(*to_one_, room).ok());
  ASSERT_TRUE(Send(*to_one_, room).ok());
  to_one_.reset();
  one_.reset();

  StartTwo();
  v1::SendResponse again;
  ASSERT_TRUE(Send(*to_two_, room, "n-1", &again).ok());
  EXPECT_TRUE(again.repeated());
  EXPECT_EQ(again.offset(), 1u);
  EXPECT_EQ(again.time_ms(), first.time_ms());
  TestStream stream(*to_two_, "connector-1");
  ASSERT_TRUE(stream.Read());
  const v1::AddResponse entered = Enter(*to_two_, AddOf(room, "ann", stream), first.epoch(), 1);
  EXPECT_EQ(entered.epoch(), first.epoch());
  EXPECT_EQ(entered.offset(), 3u);
  EXPECT_TRUE(entered.recovered());
  ASSERT_EQ(entered.missed_events_size(), 2);
  EXPECT_EQ(entered.missed_events(0).offset(), 2u);
  EXPECT_EQ(entered.missed_events(1).offset(), 3u);
}

TEST_F(DurableHistoryTest, ComingsAndGoingsAreNumberedApartAndGoOnWithTheRoom) {
  const std::string room = RoomOf(*both_, "chat-2");
  TestStream stream(*to_one_, "connector-1");
  ASSERT_TRUE(stream.Read());
  ASSERT_TRUE(Add(*to_one_, AddOf(room, "ann", stream)).ok());
  ASSERT_TRUE(Add(*to_one_, AddOf(room, "bob", stream, 2)).ok());
  ASSERT_TRUE(Send(*to_one_, room).ok());
  StartTwo();
  ASSERT_TRUE(stream.ReadEvents(4));
  EXPECT_EQ(stream.events[0].offset(), 0u);
  EXPECT_EQ(stream.events[0].change(), 1u);
  EXPECT_EQ(stream.events[1].change(), 2u);
  EXPECT_EQ(stream.events[2].offset(), 1u);
  EXPECT_EQ(stream.events[2].change(), 0u);
  EXPECT_EQ(stream.events[3].moved().server(), "chat-2");

  // The connector has not heard of bob yet.
  TestStream there(*to_two_, "connector-1");
  ASSERT_TRUE(there.Read());
  v1::RestoreRequest request = RestoreOf(there, "");
  v1::RoomPlaces& places = AddPlace(request, room, "ann", stream.events[2].epoch(), 1);
  places.set_life(stream.events[0].life());
  places.set_change(1);
  v1::RestoreResponse response;
  ASSERT_TRUE(WaitUntil([&] {
    return Restore(*to_two_, request, &response).ok() &&
           response.rooms(0).outcome() == v1::RESTORE_OUTCOME_RESTORED;
  }));
  const v1::RestoredRoom& restored = response.rooms(0);
  EXPECT_TRUE(restored.recovered());
  EXPECT_EQ(restored.life(), stream.events[0].life());
  EXPECT_EQ(restored.change(), 2u);
  ASSERT_EQ(restored.missed_events_size(), 1);
  EXPECT_EQ(restored.missed_events(0).joined().user(), "bob");
}

TEST_F(DurableHistoryTest, AfterALossMembersComeBackWithoutAnEvent) {
  Settle();
  const std::string room = RoomOf(*both_, "chat-1");
  v1::SendResponse sent;
  ASSERT_TRUE(Send(*to_one_, room, "", &sent).ok());
  auto at_lost = std::make_unique<TestStream>(*to_one_, "connector-1");
  ASSERT_TRUE(at_lost->Read());
  TestStream first(*to_two_, "connector-1");
  TestStream second(*to_two_, "connector-2");
  ASSERT_TRUE(first.Read() && second.Read());
  v1::RestoreRequest from_first = RestoreOf(first, "chat-1");
  from_first.set_lost_incarnation(at_lost->batches[0].incarnation());
  AddPlace(from_first, room, "ann", sent.epoch(), 1).set_life(77);
  v1::RestoreRequest from_second = RestoreOf(second, "chat-1");
  from_second.set_lost_incarnation(at_lost->batches[0].incarnation());
  AddPlace(from_second, room, "bob", sent.epoch(), 0).set_life(77);
  at_lost.reset();
  v1::RestoreResponse to_first;
  v1::RestoreResponse to_second;
  LoseOne(from_first, to_first, from_second, to_second);
  for (const v1::RestoreResponse* response : {&to_first, &to_second}) {
    ASSERT_EQ(response->rooms_size(), 1);
    EXPECT_EQ(response->rooms(0).outcome(), v1::RESTORE_OUTCOME_RESTORED) << response->rooms(0).reason();
    EXPECT_EQ(response->rooms(0).total(), 2u) << "nobody is answered before all are back";
    EXPECT_TRUE(response->rooms(0).recovered());
    EXPECT_EQ(response->rooms(0).change(), 0u) << "nobody came, nobody left";
  }
  EXPECT_EQ(to_first.rooms(0).missed_events_size(), 0);
  ASSERT_EQ(to_second.rooms(0).missed_events_size(), 1);
  EXPECT_EQ(to_second.rooms(0).missed_events(0).offset(), 1u);
}

TEST_F(DurableHistoryTest, AServerWithAnotherHistoryIsRefused) {
  ChatServerOptions options;
  options.id = "chat-2";
  options.store = store_.options();
  options.durable = false;
  const auto started = ChatServer::Start(options, both_);
  EXPECT_EQ(started.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("history"));
}

TEST(ChatServerTest, WithoutAStoreItServesOnlyWhileItIsAlone) {
  const auto server = Start("chat-1", Servers({Chat("chat-1", 1)}));
  const auto stub = StubOf(*server);
  EXPECT_TRUE(Send(*stub, "lobby").ok());
  server->Update(Servers({Chat("chat-1", 1), Chat("chat-2", 1)}));
  const grpc::Status status = Send(*stub, "lobby");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("start both with the same --store"));
}

TEST(ChatServerTest, AStoreThatCannotBeUsedIsAnError) {
  ChatServerOptions options;
  options.id = "chat-1";
  options.store.url = "sqlite:/nowhere/at/all/store.db";
  const auto server = ChatServer::Start(options, Servers({Chat("chat-1", 1)}));
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("/nowhere/at/all"));
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
