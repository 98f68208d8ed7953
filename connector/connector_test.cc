#include "connector/connector.h"

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chat/connectors/chat_service.h"
#include "chat/connectors/leases.h"
#include "chat/rooms/room_table.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "services/testing/pomelo_client.h"
#include "services/testing/wait.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;
using hubbub::testing::PomeloClient;
using hubbub::testing::WaitUntil;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// A chat server on a socket, as chat/main.cc builds it.
class ChatServer {
 public:
  explicit ChatServer(std::string id, uint16_t port = 0)
      : id_(std::move(id)), leases_(id_, rooms_, {}), service_(id_, rooms_, leases_) {
    auto server = rpc::Server::Start({.host = "127.0.0.1", .port = port, .services = {&service_}});
    EXPECT_TRUE(server.ok()) << server.status();
    if (server.ok()) server_ = *std::move(server);
  }
  ~ChatServer() {
    service_.Shutdown();
    if (server_ != nullptr) server_->Shutdown(0);
  }

  uint16_t port() const { return server_->port(); }
  size_t leases() const { return leases_.size(); }

 private:
  const std::string id_;
  // A name is kept for longer than any test takes.
  chat::RoomTable rooms_{[] {
    chat::RoomTable::Options options;
    options.room.grace_ms = 600'000;
    return options;
  }()};
  chat::Leases leases_;
  chat::ChatService service_;
  std::unique_ptr<rpc::Server> server_;
};

std::shared_ptr<const directory::ServerList> DirectoryOf(
    const std::vector<std::pair<std::string, uint16_t>>& chats) {
  directory::ServerList servers;
  for (const auto& [id, port] : chats) {
    directory::ServerInfo& chat = servers.chats.emplace_back();
    chat.id = id;
    chat.host = "127.0.0.1";
    chat.port = port;
  }
  return std::make_shared<const directory::ServerList>(std::move(servers));
}

class ConnectorTest : public ::testing::Test {
 protected:
  ConnectorTest() {
    options_.self.kind = directory::ServerKind::kConnector;
    options_.self.id = "connector-1";
    options_.self.host = "127.0.0.1";
    options_.listen_host = "127.0.0.1";
    options_.loops = 2;
    options_.max_rooms = 2;
    options_.patience = milliseconds(300);
  }
  void Start() {
    chat_ = std::make_unique<ChatServer>("chat-1");
    StartWith(DirectoryOf({{"chat-1", chat_->port()}}));
    ASSERT_TRUE(WaitUntil([&] { return connector_->Ready(); }));
  }
  void StartWith(const std::shared_ptr<const directory::ServerList>& servers) {
    auto connector = Connector::Start(options_, servers);
    ASSERT_TRUE(connector.ok()) << connector.status();
    connector_ = *std::move(connector);
    stub_ = v1::ConnectorService::NewStub(grpc::CreateChannel(
        "127.0.0.1:" + std::to_string(connector_->grpc_port()), grpc::InsecureChannelCredentials()));
  }
  std::unique_ptr<PomeloClient> Client() { return std::make_unique<PomeloClient>(connector_->client_port()); }
  // A client that is in this room.
  std::unique_ptr<PomeloClient> Guest(const std::string& user, const std::string& room = "lobby") {
    auto client = Client();
    const json::object answer = Enter(*client, user, room);
    EXPECT_TRUE(answer.contains("users")) << json::serialize(answer);
    return client;
  }

  static json::object Enter(PomeloClient& client, const std::string& user, const std::string& room,
                            const json::object& more = {}) {
    json::object body{{"username", user}, {"rid", room}};
    body.insert(more.begin(), more.end());
    return client.Request("connector.entryHandler.enter", body);
  }
  static json::object Leave(PomeloClient& client, const std::string& room) {
    return client.Request("connector.entryHandler.leave", {{"rid", room}});
  }
  static json::object Say(PomeloClient& client, const std::string& content, const std::string& target = "*",
                          const std::string& room = "lobby") {
    return client.Request("chat.chatHandler.send", {{"rid", room}, {"content", content}, {"target", target}});
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::ConnectorService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                       Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return ((*stub_).*method)(&context, request, &response);
  }

  ConnectorOptions options_;
  std::unique_ptr<ChatServer> chat_;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<v1::ConnectorService::Stub> stub_;
};

int64_t CodeIn(const json::object& answer) {
  const json::value* code = answer.if_contains("code");
  return code == nullptr ? 200 : code->to_number<int64_t>();
}

// Refused with this code, as every error is, and a text that has this in it.
void ExpectRefused(const json::object& answer, int64_t code, const std::string& text) {
  EXPECT_EQ(CodeIn(answer), code) << json::serialize(answer);
  ASSERT_TRUE(answer.contains("message")) << json::serialize(answer);
  EXPECT_EQ(answer.at("error"), true);
  EXPECT_THAT(std::string(answer.at("message").as_string()), HasSubstr(text));
}

// The next push must be this one; only the members that are given are compared.
void ExpectPush(PomeloClient& client, const std::string& route, const json::object& expected) {
  const PomeloClient::Push push = client.NextPush();
  EXPECT_EQ(push.route, route);
  for (const auto& member : expected) {
    ASSERT_TRUE(push.body.contains(member.key())) << json::serialize(push.body);
    EXPECT_EQ(push.body.at(member.key()), member.value()) << json::serialize(push.body);
  }
}

TEST_F(ConnectorTest, EnteringTellsWhoIsThereAndTellsThem) {
  Start();
  auto ann = Client();
  const json::object first = Enter(*ann, "ann", "lobby");
  EXPECT_EQ(first.at("users"), json::array{"ann"});
  auto bob = Client();
  const json::object second = Enter(*bob, "bob", "lobby");
  EXPECT_EQ(second.at("users"), (json::array{"ann", "bob"}));
  EXPECT_EQ(second.at("total"), 2);
  EXPECT_EQ(second.at("epoch"), first.at("epoch"));
  EXPECT_EQ(second.at("offset").to_number<int64_t>(), first.at("offset").to_number<int64_t>() + 1);
  EXPECT_NE(second.at("resume"), first.at("resume"));
  ExpectPush(*ann, "onAdd", {{"user", "bob"}, {"rid", "lobby"}, {"offset", second.at("offset")}});
  // The newcomer does not hear of itself.
  Say(*ann, "hi");
  ExpectPush(*bob, "onChat", {{"msg", "hi"}});
}

TEST_F(ConnectorTest, AMessageReachesEverybodyInOrder) {
  Start();
  auto ann = Guest("ann");
  auto bob = Guest("bob");
  ExpectPush(*ann, "onAdd", {{"user", "bob"}});
  for (int i = 0; i < 50; ++i) {
    const json::object answer = Say(i % 2 == 0 ? *ann : *bob, std::to_string(i));
    EXPECT_EQ(CodeIn(answer), 200);
    EXPECT_TRUE(answer.contains("offset"));
  }
  int64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    const auto seen = ann->NextPush();
    EXPECT_EQ(seen.body.at("msg").as_string(), std::to_string(i));
    EXPECT_EQ(seen.body.at("from").as_string(), i % 2 == 0 ? "ann" : "bob");
    EXPECT_EQ(seen.body.at("target").as_string(), "*");
    EXPECT_GT(seen.body.at("offset").to_number<int64_t>(), last);
    last = seen.body.at("offset").to_number<int64_t>();
    EXPECT_EQ(bob->NextPush().body, seen.body);
  }
}

TEST_F(ConnectorTest, ANotifySendsWithoutAnAnswer) {
  Start();
  auto ann = Guest("ann");
  ann->Notify("chat.chatHandler.send", {{"rid", "lobby"}, {"content", "hi"}, {"target", "*"}});
  ExpectPush(*ann, "onChat", {{"msg", "hi"}});
}

TEST_F(ConnectorTest, AMessageToOneReachesThatOneAlone) {
  Start();
  auto ann = Guest("ann");
  auto bob = Guest("bob");
  auto cid = Guest("cid");
  EXPECT_EQ(CodeIn(Say(*ann, "psst", "bob")), 200);
  Say(*ann, "all");
  ExpectPush(*bob, "onAdd", {{"user", "cid"}});
  ExpectPush(*bob, "onChat", {{"msg", "psst"}, {"from", "ann"}, {"target", "bob"}});
  ExpectPush(*bob, "onChat", {{"msg", "all"}});
  ExpectPush(*cid, "onChat", {{"msg", "all"}});
  ExpectPush(*ann, "onAdd", {{"user", "bob"}});
  ExpectPush(*ann, "onAdd", {{"user", "cid"}});
  ExpectPush(*ann, "onChat", {{"msg", "all"}});
  ExpectRefused(Say(*ann, "psst", "nobody"), 404, "nobody");
}

TEST_F(ConnectorTest, TheSameUserTwiceIsRefused) {
  Start();
  auto ann = Guest("ann");
  ExpectRefused(Enter(*ann, "ann", "lobby"), 500, "you are in room 'lobby' already");
  auto second = Client();
  ExpectRefused(Enter(*second, "ann", "lobby"), 500, "ann");
  // A client whose name is taken may choose another name on the same connection.
  EXPECT_EQ(CodeIn(Enter(*second, "anna", "lobby")), 200);
}

TEST_F(ConnectorTest, TheResumeTokenTakesThePlaceOver) {
  Start();
  auto bob = Guest("bob");
  auto old = Client();
  const json::object first = Enter(*old, "ann", "lobby");
  ExpectPush(*bob, "onAdd", {{"user", "ann"}});
  auto young = Client();
  // Not by any other text, however long, and wherever a cut would fall.
  std::string long_text = "a";
  for (int i = 0; i < 100; ++i) long_text += "\xc3\xa9";
  for (const std::string& wrong : {std::string("x"), long_text})
    ExpectRefused(Enter(*young, "ann", "lobby", {{"resume", wrong}}), 500, "ann");

  const json::object second = Enter(*young, "ann", "lobby", {{"resume", first.at("resume")}});
  EXPECT_EQ(second.at("users"), (json::array{"bob", "ann"}));
  EXPECT_EQ(old->ReadEnd(), "replaced");
  // The others notice nothing.
  Say(*young, "back");
  ExpectPush(*bob, "onChat", {{"msg", "back"}, {"from", "ann"}});
}

TEST_F(ConnectorTest, LeavingKeepsTheSocket) {
  Start();
  auto ann = Guest("ann");
  auto bob = Guest("bob");
  EXPECT_EQ(CodeIn(Leave(*bob, "lobby")), 200);
  ExpectPush(*ann, "onAdd", {{"user", "bob"}});
  ExpectPush(*ann, "onLeave", {{"user", "bob"}, {"rid", "lobby"}});
  ExpectRefused(Say(*bob, "hi"), 403, "you are not in room 'lobby'");
  ExpectRefused(Leave(*bob, "lobby"), 403, "you are not in room 'lobby'");
  EXPECT_EQ(CodeIn(Enter(*bob, "bob", "lobby")), 200);
  ExpectPush(*ann, "onAdd", {{"user", "bob"}});
}

TEST_F(ConnectorTest, AUserWhoDisconnectsLeavesAllRooms) {
  Start();
  auto ann = Guest("ann");
  EXPECT_EQ(CodeIn(Enter(*ann, "ann", "attic")), 200);
  auto bob = Guest("bob");
  EXPECT_EQ(CodeIn(Enter(*bob, "bob", "attic")), 200);
  ExpectPush(*ann, "onAdd", {{"rid", "lobby"}});
  ExpectPush(*ann, "onAdd", {{"rid", "attic"}});
  bob->Close();
  std::vector<std::string> left;
  for (int i = 0; i < 2; ++i) {
    const auto push = ann->NextPush();
    EXPECT_EQ(push.route, "onLeave");
    EXPECT_EQ(push.body.at("user").as_string(), "bob");
    left.emplace_back(push.body.at("rid").as_string());
  }
  EXPECT_THAT(left, UnorderedElementsAre("lobby", "attic"));
  EXPECT_TRUE(WaitUntil([&] { return connector_->sessions() == 1; }));
}

TEST_F(ConnectorTest, NobodyIsHeardAfterItsEndAndNothingSaidBeforeIsLost) {
  options_.heartbeat.reset();  // Ann only listens.
  Start();
  auto ann = Guest("ann");
  const auto ask = [](PomeloClient& client, int i) {
    client.Ask("chat.chatHandler.send", {{"rid", "lobby"}, {"content", std::to_string(i)}, {"target", "*"}});
  };
  enum class End { kLeave, kDisconnect, kBan };
  for (int round = 0; round < 30; ++round) {
    const End end = std::array{End::kLeave, End::kDisconnect, End::kBan}[static_cast<size_t>(round % 3)];
    auto bob = Guest("bob");
    ExpectPush(*ann, "onAdd", {{"user", "bob"}});
    for (int i = 0; i < 30; ++i) ask(*bob, i);
    if (end == End::kLeave) bob->Ask("connector.entryHandler.leave", {{"rid", "lobby"}});
    if (end == End::kDisconnect) bob->EndSending();
    if (end == End::kBan) {
      v1::DisconnectRequest request;
      request.set_user("bob");
      v1::DisconnectResponse response;
      EXPECT_TRUE(Call(&v1::ConnectorService::Stub::Disconnect, request, response).ok());
    }
    // Until the leave, messages in order; after it, nothing of bob's: the next round begins with his coming.
    int heard = 0;
    PomeloClient::Push push = ann->NextPush();
    for (; push.route == "onChat"; push = ann->NextPush())
      ASSERT_EQ(push.body.at("msg").as_string(), std::to_string(heard++));
    EXPECT_EQ(push.route, "onLeave") << json::serialize(push.body);
    if (end != End::kBan) {
      EXPECT_EQ(heard, 30) << (end == End::kLeave ? "left" : "disconnected");
    }
  }
}

TEST_F(ConnectorTest, WhoIsCutOffHasItsNameForItsToken) {
  Start();
  auto ann = Guest("ann");
  auto bob = std::make_unique<PomeloClient>(connector_->client_port(), "hubbub-web");
  const json::object first = Enter(*bob, "bob", "lobby");
  ExpectPush(*ann, "onAdd", {{"user", "bob"}});
  bob->Close();
  ExpectPush(*ann, "onLeave", {{"user", "bob"}});
  auto other = Client();
  ExpectRefused(Enter(*other, "bob", "lobby"), 500, "try again in");
  ExpectRefused(Enter(*other, "bob", "lobby", {{"resume", std::string(32, '0')}}), 500, "try again in");
  const json::object back = Enter(*Client(), "bob", "lobby", {{"resume", first.at("resume")}});
  EXPECT_EQ(back.at("resume"), first.at("resume")) << "it stays the client's own";
}

TEST_F(ConnectorTest, WhoLeavesOrIsThrownOutLeavesItsNameFree) {
  Start();
  auto ann = Guest("ann");
  for (const bool thrown_out : {false, true}) {
    PomeloClient bob(connector_->client_port(), "hubbub-web");
    EXPECT_EQ(CodeIn(Enter(bob, "bob", "lobby")), 200);
    ExpectPush(*ann, "onAdd", {{"user", "bob"}});
    if (thrown_out) {
      v1::DisconnectRequest request;
      request.set_user("bob");
      v1::DisconnectResponse response;
      EXPECT_TRUE(Call(&v1::ConnectorService::Stub::Disconnect, request, response).ok());
    } else {
      Leave(bob, "lobby");
    }
    ExpectPush(*ann, "onLeave", {{"user", "bob"}});
    auto other = Guest("bob");
    ExpectPush(*ann, "onAdd", {{"user", "bob"}});
    Leave(*other, "lobby");
    ExpectPush(*ann, "onLeave", {{"user", "bob"}});
  }
}

TEST_F(ConnectorTest, AClientWithoutTokensIsBackAtOnceFromItsAddress) {
  Start();
  auto ann = Guest("ann");
  for (int i = 0; i < 3; ++i) {
    auto bob = Guest("bob");
    ExpectPush(*ann, "onAdd", {{"user", "bob"}});
    bob->Close();
    ExpectPush(*ann, "onLeave", {{"user", "bob"}});
  }
}

TEST_F(ConnectorTest, WhatWasForOneUserAloneIsForItsTokenAlone) {
  Start();
  auto ann = Guest("ann");
  auto bob = Client();
  const json::object first = Enter(*bob, "bob", "lobby");
  EXPECT_EQ(CodeIn(Say(*ann, "psst", "bob")), 200);
  EXPECT_EQ(CodeIn(Say(*ann, "hello")), 200);
  Leave(*bob, "lobby");
  const auto missed = [&](const json::object& more) {
    json::object point{{"epoch", first.at("epoch")}, {"offset", first.at("offset")}};
    point.insert(more.begin(), more.end());
    auto client = Client();
    const json::object answer = Enter(*client, "bob", "lobby", point);
    EXPECT_EQ(answer.at("recovered"), true);
    std::vector<std::string> texts;
    for (const json::value& event : answer.at("events").as_array()) {
      if (event.as_object().contains("msg")) texts.emplace_back(event.at("msg").as_string());
    }
    Leave(*client, "lobby");
    return texts;
  };
  EXPECT_THAT(missed({}), ElementsAre("hello"));
  EXPECT_THAT(missed({{"resume", std::string(32, 'a')}}), ElementsAre("hello"));
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(missed({{"resume", first.at("resume")}}), ElementsAre("psst", "hello")) << "however often";
}

TEST_F(ConnectorTest, RoomsAreApart) {
  Start();
  auto ann = Guest("ann", "lobby");
  auto bob = Guest("bob", "attic");
  auto cid = Guest("cid", "lobby");
  EXPECT_EQ(CodeIn(Enter(*cid, "cid", "attic")), 200);
  Say(*cid, "to the lobby", "*", "lobby");
  Say(*cid, "to the attic", "*", "attic");
  ExpectPush(*ann, "onAdd", {{"user", "cid"}});
  ExpectPush(*ann, "onChat", {{"msg", "to the lobby"}, {"rid", "lobby"}});
  ExpectPush(*bob, "onAdd", {{"user", "cid"}});
  ExpectPush(*bob, "onChat", {{"msg", "to the attic"}, {"rid", "attic"}});
  ExpectRefused(Say(*ann, "hi", "*", "attic"), 403, "you are not in room 'attic'");
}

TEST_F(ConnectorTest, ASessionHasOneUserAndSoManyRooms) {
  Start();
  auto ann = Guest("ann", "one");
  ExpectRefused(Enter(*ann, "bob", "two"), 403, "this session belongs to 'ann'");
  EXPECT_EQ(CodeIn(Enter(*ann, "ann", "two")), 200);
  ExpectRefused(Enter(*ann, "ann", "three"), 429, "you are in 2 rooms");
  EXPECT_EQ(CodeIn(Leave(*ann, "one")), 200);
  EXPECT_EQ(CodeIn(Enter(*ann, "ann", "three")), 200);
}

TEST_F(ConnectorTest, TakesNumbersAsTheirText) {
  Start();
  auto bob = Guest("bob", "7");
  auto client = Client();
  const json::object entered =
      client->Request("connector.entryHandler.enter", {{"username", 10001}, {"rid", 7}});
  EXPECT_EQ(entered.at("users"), json::array({"bob", "10001"})) << json::serialize(entered);
  const json::object message{{"rid", 7}, {"content", 1.5}, {"target", "bob"}, {"id", 1}};
  EXPECT_EQ(CodeIn(client->Request("chat.chatHandler.send", message)), 200);
  ExpectPush(*bob, "onAdd", {{"user", "10001"}});
  ExpectPush(*bob, "onChat", {{"msg", "1.5"}, {"from", "10001"}, {"target", "bob"}, {"rid", "7"}});
  EXPECT_EQ(CodeIn(client->Request("connector.entryHandler.leave", {{"rid", 7}})), 200);
  ExpectPush(*bob, "onLeave", {{"user", "10001"}});
}

TEST_F(ConnectorTest, SaysWhatIsWrongWithARequest) {
  Start();
  auto ann = Guest("ann");
  const std::string enter = "connector.entryHandler.enter";
  const std::string send = "chat.chatHandler.send";
  const struct {
    std::string route;
    json::object body;
    int64_t code;
    std::string text;
  } cases[] = {
      {"no.such.route", {}, 404, "there is no route 'no.such.route' here"},
      {"gate.gateHandler.queryEntry", {{"uid", "ann"}}, 404, "ask the gate"},
      {enter, {{"rid", "r"}}, 400, "username is missing"},
      {enter, {{"username", true}, {"rid", "r"}}, 400, "username must be a text"},
      {enter, {{"username", ""}, {"rid", "r"}}, 400, "username is empty"},
      {enter, {{"username", "ann"}}, 400, "rid is missing"},
      {enter, {{"username", "ann"}, {"rid", std::string(65, 'r')}}, 400, "rid has 65 bytes"},
      {enter, {{"username", "ann"}, {"rid", "a\nb"}}, 400, "rid has a control character"},
      {"connector.entryHandler.leave", {}, 400, "rid is missing"},
      {send, {{"content", "c"}, {"target", "*"}}, 400, "rid is missing"},
      {send, {{"rid", "lobby"}, {"target", "*"}}, 400, "content is missing"},
      {send, {{"rid", "lobby"}, {"content", json::array()}, {"target", "*"}}, 400, "content must be a text"},
      {send, {{"rid", "lobby"}, {"content", "c"}}, 400, "target is missing"},
      {send, {{"rid", "lobby"}, {"content", "c"}, {"target", ""}}, 400, "target is empty"},
      {send, {{"rid", "lobby"}, {"content", std::string(40'000, 'c')}, {"target", "*"}}, 400, "content has"},
      {send, {{"rid", "attic"}, {"content", "c"}, {"target", "*"}}, 403, "you are not in room 'attic'"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.route + " " + json::serialize(c.body).substr(0, 100));
    ExpectRefused(ann->Request(c.route, c.body), c.code, c.text);
  }
  // Nothing of it came through.
  Say(*ann, "after all");
  ExpectPush(*ann, "onChat", {{"msg", "after all"}});
}

TEST_F(ConnectorTest, WithoutAChatServerRoomsAreUnavailable) {
  StartWith(DirectoryOf({}));
  auto ann = Client();
  ExpectRefused(Enter(*ann, "ann", "lobby"), 503, "chat server cannot be reached");

  // One that the directory gets later serves its rooms.
  ChatServer chat("chat-1");
  connector_->Update(DirectoryOf({{"chat-1", chat.port()}}));
  ASSERT_TRUE(WaitUntil([&] { return connector_->Ready(); }));
  EXPECT_EQ(CodeIn(Enter(*ann, "ann", "lobby")), 200);
  Say(*ann, "hi");
  ExpectPush(*ann, "onChat", {{"msg", "hi"}});
}

TEST_F(ConnectorTest, AChatServerThatIsAddedServesItsShare) {
  Start();
  ChatServer second("chat-2");
  connector_->Update(DirectoryOf({{"chat-1", chat_->port()}, {"chat-2", second.port()}}));
  ASSERT_TRUE(WaitUntil([&] { return connector_->Ready(); }));
  EXPECT_EQ(second.leases(), 1u);
  options_.max_rooms = 2;
  for (int i = 0; i < 20; ++i) {
    const std::string room = "room-" + std::to_string(i);
    auto guest = Guest("ann", room);
    Say(*guest, "hi", "*", room);
    ExpectPush(*guest, "onChat", {{"msg", "hi"}, {"rid", room}});
  }
}

TEST_F(ConnectorTest, AChatServerThatIsAwayIsSaidSo) {
  Start();
  auto ann = Guest("ann");
  const uint16_t port = chat_->port();
  chat_.reset();
  // Which of the two sentences depends on whether the end of the stream or the call was noticed first.
  for (const json::object& answer : {Say(*ann, "hi"), Enter(*ann, "ann", "attic")})
    ExpectRefused(answer, 503, "try again soon");
  EXPECT_EQ(CodeIn(Leave(*ann, "lobby")), 200) << "a client is not kept in";

  // Another process in its place knows no lease of before; the connector gets a new one.
  chat_ = std::make_unique<ChatServer>("chat-1", port);
  EXPECT_TRUE(WaitUntil([&] { return CodeIn(Enter(*ann, "ann", "lobby")) == 200; }));
}

v1::PushRequest PushOf(const std::vector<std::string>& users, const std::string& route,
                       const std::string& body) {
  v1::PushRequest request;
  for (const std::string& user : users) request.add_users(user);
  request.set_route(route);
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(body, request.mutable_body()).ok());
  return request;
}

TEST_F(ConnectorTest, BackEndsPushToUsers) {
  Start();
  auto ann = Guest("ann", "one");
  auto bob = Guest("bob", "two");
  auto again = Guest("bob", "three");
  auto nameless = Client();
  v1::PushResponse response;
  ASSERT_TRUE(Call(&v1::ConnectorService::Stub::Push,
                   PushOf({"bob", "nobody"}, "onNotice", R"({"text":"\ud83d\ude02","n":[1,null]})"), response)
                  .ok());
  EXPECT_EQ(response.sessions(), 2u);
  EXPECT_THAT(response.missing_users(), ElementsAre("nobody"));
  const json::array list{1, nullptr};
  for (PomeloClient* client : {bob.get(), again.get()})
    ExpectPush(*client, "onNotice", {{"text", "\xf0\x9f\x98\x82"}, {"n", list}});

  v1::BroadcastRequest broadcast;
  broadcast.set_route("onAll");
  v1::BroadcastResponse reached;
  ASSERT_TRUE(Call(&v1::ConnectorService::Stub::Broadcast, broadcast, reached).ok());
  EXPECT_EQ(reached.sessions(), 3u) << "all that have entered a room";
  for (PomeloClient* client : {ann.get(), bob.get(), again.get()}) ExpectPush(*client, "onAll", {});
}

TEST_F(ConnectorTest, AUserWhomAPushNamesTwiceGetsItOnce) {
  Start();
  auto ann = Guest("ann");
  v1::PushResponse response;
  const std::vector<std::string> users = {"ann", "nobody", "ann", "nobody", "ann", "none"};
  ASSERT_TRUE(
      Call(&v1::ConnectorService::Stub::Push, PushOf(users, "onNotice", R"({"n":1})"), response).ok());
  EXPECT_EQ(response.sessions(), 1u);
  EXPECT_THAT(response.missing_users(), ElementsAre("nobody", "none"));
  EXPECT_THAT(response.repeated_users(), ElementsAre("ann", "nobody"));
  ASSERT_TRUE(
      Call(&v1::ConnectorService::Stub::Push, PushOf({"ann"}, "onNotice", R"({"n":2})"), response).ok());
  for (const int n : {1, 2}) ExpectPush(*ann, "onNotice", {{"n", n}});
}

TEST_F(ConnectorTest, APushNamesWhatIsWrongWithIt) {
  Start();
  auto ann = Guest("ann");
  const std::vector<std::string> too_many(1001, "ann");
  const std::string large = R"({"text":")" + std::string(70'000, 'x') + R"("})";
  const struct {
    v1::PushRequest request;
    std::string text;
  } cases[] = {
      {PushOf({}, "onNotice", "{}"), "users has 0 names"},
      {PushOf(too_many, "onNotice", "{}"), "users has 1001 names"},
      {PushOf({"ann", ""}, "onNotice", "{}"), "users[1] is empty"},
      {PushOf({"ann", "ann", "a\nb"}, "onNotice", "{}"), "users[2] has a control character"},
      {PushOf({"ann"}, "", "{}"), "route must have"},
      {PushOf({"ann"}, std::string(256, 'r'), "{}"), "route must have"},
      {PushOf({"ann"}, "onNotice", large), "body has"},
      // The clients' protobuf decoders would have nothing to read.
      {PushOf({"ann"}, "onChat", R"({"msg":"hi"})"), "body does not fit the schema of route 'onChat'"},
  };
  for (const auto& c : cases) {
    v1::PushResponse response;
    const grpc::Status status = Call(&v1::ConnectorService::Stub::Push, c.request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << c.text;
    EXPECT_THAT(status.error_message(), HasSubstr(c.text));
  }
  v1::BroadcastRequest broadcast;
  v1::BroadcastResponse reached;
  EXPECT_THAT(Call(&v1::ConnectorService::Stub::Broadcast, broadcast, reached).error_message(),
              HasSubstr("route must have"));
}

TEST_F(ConnectorTest, BackEndsDisconnectUsers) {
  Start();
  auto ann = Guest("ann", "one");
  auto again = Guest("ann", "two");
  auto bob = Guest("bob", "one");
  ExpectPush(*ann, "onAdd", {{"user", "bob"}});
  v1::DisconnectRequest request;
  request.set_user("ann");
  request.set_reason("enough");
  v1::DisconnectResponse response;
  ASSERT_TRUE(Call(&v1::ConnectorService::Stub::Disconnect, request, response).ok());
  EXPECT_EQ(response.sessions(), 2u);
  EXPECT_EQ(ann->ReadEnd(), "enough");
  EXPECT_EQ(again->ReadEnd(), "enough");
  ann->Close();
  ExpectPush(*bob, "onLeave", {{"user", "ann"}});

  const struct {
    std::string user, reason;
    grpc::StatusCode code;
    std::string text;
  } cases[] = {
      {"nobody", "", grpc::StatusCode::NOT_FOUND, "user 'nobody' has no session"},
      {"", "", grpc::StatusCode::INVALID_ARGUMENT, "user is empty"},
      {"bob", std::string(257, 'r'), grpc::StatusCode::INVALID_ARGUMENT, "reason must be"},
  };
  for (const auto& c : cases) {
    request.set_user(c.user);
    request.set_reason(c.reason);
    const grpc::Status status = Call(&v1::ConnectorService::Stub::Disconnect, request, response);
    EXPECT_EQ(status.error_code(), c.code);
    EXPECT_THAT(status.error_message(), HasSubstr(c.text));
  }
}

TEST_F(ConnectorTest, CallsReachUsersOfTheOtherConnectors) {
  Start();
  auto ann = Guest("ann", "one");
  ConnectorOptions options = options_;
  options.self.id = "connector-2";
  directory::ServerList servers = *DirectoryOf({{"chat-1", chat_->port()}});
  auto other = Connector::Start(options, std::make_shared<const directory::ServerList>(servers));
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE(WaitUntil([&] { return (*other)->Ready(); }));
  PomeloClient bob((*other)->client_port());
  ASSERT_TRUE(Enter(bob, "bob", "two").contains("users"));

  for (const auto& [id, port] :
       {std::pair("connector-1", connector_->grpc_port()), std::pair("connector-2", (*other)->grpc_port())}) {
    directory::ServerInfo& connector = servers.connectors.emplace_back();
    connector.id = id;
    connector.host = "127.0.0.1";
    connector.port = port;
  }
  connector_->Update(std::make_shared<const directory::ServerList>(servers));
  (*other)->Update(std::make_shared<const directory::ServerList>(servers));
  v1::PushResponse pushed;
  ASSERT_TRUE(
      Call(&v1::ConnectorService::Stub::Push, PushOf({"ann", "bob", "cid"}, "onNotice", "{}"), pushed).ok());
  EXPECT_EQ(pushed.sessions(), 2u);
  EXPECT_THAT(pushed.missing_users(), ElementsAre("cid"));
  ExpectPush(*ann, "onNotice", {});
  ExpectPush(bob, "onNotice", {});
  v1::DisconnectRequest request;
  request.set_user("bob");
  v1::DisconnectResponse ended;
  ASSERT_TRUE(Call(&v1::ConnectorService::Stub::Disconnect, request, ended).ok());
  EXPECT_EQ(ended.sessions(), 1u);
  EXPECT_EQ(bob.ReadEnd(), "disconnected");
}

TEST_F(ConnectorTest, WatchersLearnOfEveryChange) {
  options_.late_arrivals = milliseconds(0);
  Start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  auto stream = stub_->WatchStatus(&context, {});
  v1::WatchStatusResponse status;
  ASSERT_TRUE(stream->Read(&status)) << "one comes at once";
  EXPECT_EQ(status.id(), "connector-1");
  EXPECT_EQ(status.client_port(), connector_->client_port());
  EXPECT_EQ(status.sessions(), 0u);
  EXPECT_FALSE(status.draining());
  EXPECT_EQ(status.version(), HUBBUB_VERSION);

  auto ann = Guest("ann");
  connector_->Tick();
  ASSERT_TRUE(stream->Read(&status));
  EXPECT_EQ(status.sessions(), 1u);

  ann->Close();
  connector_->Drain(milliseconds(20'000));
  while (stream->Read(&status) && !status.draining()) {
  }
  EXPECT_TRUE(status.draining());
  connector_.reset();
  while (stream->Read(&status)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// A gate has sent them here before it heard of the drain.
TEST_F(ConnectorTest, ADrainTakesThoseWhoAreOnTheirWay) {
  options_.late_arrivals = milliseconds(5'000);
  Start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  auto stream = stub_->WatchStatus(&context, {});
  v1::WatchStatusResponse status;
  ASSERT_TRUE(stream->Read(&status));
  std::thread drain([&] { connector_->Drain(milliseconds(20'000)); });
  while (stream->Read(&status) && !status.draining()) {
  }
  EXPECT_TRUE(status.draining());
  auto ann = Guest("ann");
  EXPECT_EQ(ann->ReadEnd(), "reconnect");
  ann->Close();
  drain.join();
  context.TryCancel();
}

// Not when somebody next calls Tick: until then gates would send clients here.
TEST_F(ConnectorTest, TellsAtOnceThatItIsFullAndThatItIsNotAnyMore) {
  options_.clients.max_connections = 2;
  Start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  auto stream = stub_->WatchStatus(&context, {});
  v1::WatchStatusResponse status;
  ASSERT_TRUE(stream->Read(&status));
  EXPECT_EQ(status.capacity(), 2u);
  auto ann = Guest("ann");
  auto bob = Guest("bob");
  ASSERT_TRUE(stream->Read(&status));
  EXPECT_EQ(status.sessions(), 2u);
  bob->Close();
  ASSERT_TRUE(stream->Read(&status));
  EXPECT_EQ(status.sessions(), 1u);
  context.TryCancel();
  EXPECT_FALSE(stream->Finish().ok());
}

TEST_F(ConnectorTest, CountsWhatItDoes) {
  Start();
  auto ann = Guest("ann");
  auto bob = Guest("bob");
  ExpectPush(*ann, "onAdd", {{"user", "bob"}});
  Say(*ann, "hi");
  ExpectPush(*ann, "onChat", {{"msg", "hi"}});
  ExpectPush(*bob, "onChat", {{"msg", "hi"}});
  ExpectRefused(Say(*bob, "hi", "*", "attic"), 403, "you are not in room");
  const Connector::Counts counts = connector_->counts();
  EXPECT_EQ(counts.places, 2u);
  EXPECT_EQ(counts.deliveries, 3u);
  EXPECT_EQ(counts.events_received, 3u) << "two have come in, one has spoken";
  EXPECT_EQ(counts.new_streams, 1u);
  EXPECT_EQ(counts.resumed_streams, 0u);
  EXPECT_EQ(counts.servers_lost, 0u);
  const client::ClientCounts all = connector_->client_counts();
  const auto& pomelo = all.of(client::ProtocolKind::kPomelo);
  EXPECT_EQ(pomelo.greeted, 2u);
  ASSERT_EQ(client::kRequestCodes[3], 403);
  EXPECT_THAT(pomelo.requests, ::testing::ElementsAre(3, 0, 0, 1, 0, 0, 0, 0, 0, 0));
  EXPECT_GT(connector_->traffic().received_bytes, 0u);

  const uint16_t port = chat_->port();
  chat_.reset();
  EXPECT_TRUE(WaitUntil([&] { return connector_->counts().servers_lost == 1; }));
  chat_ = std::make_unique<ChatServer>("chat-1", port);
  EXPECT_TRUE(WaitUntil([&] { return connector_->counts().new_streams == 2; }));
}

TEST_F(ConnectorTest, EndsWithClientsAndCallsUnderWay) {
  Start();
  std::vector<std::unique_ptr<PomeloClient>> guests;
  for (int i = 0; i < 10; ++i) guests.push_back(Guest("user-" + std::to_string(i)));
  for (int round = 0; round < 20; ++round) {
    for (auto& guest : guests)
      guest->Ask("chat.chatHandler.send", {{"rid", "lobby"}, {"content", "hi"}, {"target", "*"}});
  }
  std::thread ending([&] { connector_.reset(); });
  for (auto& guest : guests) {
    EXPECT_EQ(guest->ReadEnd(), "reconnect");
    guest->Close();
  }
  ending.join();
}

TEST_F(ConnectorTest, SaysWhichPortItCanNotHave) {
  Start();
  ConnectorOptions options = options_;
  options.self.client_port = connector_->client_port();
  const absl::Status client = Connector::Start(options, DirectoryOf({})).status();
  EXPECT_THAT(std::string(client.message()), HasSubstr("cannot listen for clients on 127.0.0.1:"));
  options.self.client_port = 0;
  options.self.port = connector_->grpc_port();
  const absl::Status grpc = Connector::Start(options, DirectoryOf({})).status();
  EXPECT_THAT(std::string(grpc.message()), HasSubstr("cannot serve gRPC on 127.0.0.1:"));
  EXPECT_THAT(std::string(grpc.message()), HasSubstr("another program has this port"));
}

}  // namespace
}  // namespace hubbub::connector
