#include "chat/chat_server.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

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

TEST(ChatServerTest, CallsFindTheOwnerAsTheDirectoryChanges) {
  // The ports are not known before the servers run: each begins alone, as far as it knows.
  const auto one = Start("chat-1", Servers({Chat("chat-1", 1)}));
  const auto two = Start("chat-2", Servers({Chat("chat-2", 1)}));
  const auto both = Servers({Chat("chat-1", one->port()), Chat("chat-2", two->port())});
  const auto stub = StubOf(*one);
  const std::string room = RoomOf(*both, "chat-2");

  ASSERT_TRUE(Send(*stub, room).ok());
  EXPECT_EQ(one->rooms(), 1u) << "alone, it owns every room";

  one->Update(both);
  two->Update(both);
  ASSERT_TRUE(Send(*stub, room).ok());
  EXPECT_EQ(two->rooms(), 1u);

  TestStream stream(*stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  v1::AddRequest add;
  add.set_room(room);
  add.set_user("ann");
  add.set_lease(stream.lease);
  add.set_session(1);
  v1::AddResponse added;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  const grpc::Status status = stub->Add(&context, add, &added);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              HasSubstr(fmt::format("belongs to chat server \"chat-2\" at 127.0.0.1:{}", two->port())));
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
