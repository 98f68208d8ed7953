#include "chat/forward.h"

#include <memory>
#include <string>

#include "chat/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/owner_hint.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

// Two chat servers. As far as each of them knows, the rooms named "1…" are chat-1's and all others chat-2's.
class ForwardTest : public ::testing::Test {
 protected:
  TestServer::Options Options(const std::string& id, OwnerStub* other) {
    TestServer::Options options;
    options.id = id;
    const char own = id.back();
    options.rooms.claim = [this, own](std::string_view room) {
      if (all_are_mine_ || (room[0] == '1') == (own == '1')) return absl::OkStatus();
      const std::string owner = own == '1' ? "chat-2" : "chat-1";
      absl::Status status = absl::FailedPreconditionError(
          fmt::format("room \"{}\" belongs to chat server \"{}\"", room, owner));
      SetOwner(status, owner);
      return status;
    };
    options.cluster.stub_of = [other](const std::string&) { return *other; };
    return options;
  }

  static grpc::Status Send(v1::ChatService::StubInterface& stub, const std::string& room,
                           v1::SendResponse* response, bool forwarded = false) {
    v1::SendRequest request;
    request.set_room(room);
    request.set_from("system");
    request.set_content("hi");
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    if (forwarded) context.AddMetadata("hubbub-forwarded", "1");
    return stub.Send(&context, request, response);
  }

  bool all_are_mine_ = false;
  OwnerStub to_first_;
  OwnerStub to_second_;
  TestServer first_{Options("chat-1", &to_second_)};
  TestServer second_{Options("chat-2", &to_first_)};

  void SetUp() override {
    to_first_ = v1::ChatService::NewStub(first_.channel);
    to_second_ = v1::ChatService::NewStub(second_.channel);
  }
};

TEST_F(ForwardTest, SendKickAndGetRoomReachTheOwner) {
  TestStream stream(*second_.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  ASSERT_TRUE(second_.rooms.Add("2nd", "ann", {*second_.leases.Find(stream.lease), 1, ""}, "").ok());

  v1::SendResponse sent;
  ASSERT_TRUE(Send(*first_.stub, "2nd", &sent).ok());
  EXPECT_EQ(sent.offset(), 2u);
  EXPECT_EQ(sent.recipients(), 1u);
  EXPECT_EQ(first_.rooms.rooms(), 0u);

  v1::GetRoomRequest get;
  get.set_room("2nd");
  v1::GetRoomResponse room;
  grpc::ClientContext get_context;
  get_context.set_deadline(TestDeadline());
  ASSERT_TRUE(first_.stub->GetRoom(&get_context, get, &room).ok());
  EXPECT_EQ(room.members_size(), 1);

  v1::KickRequest kick;
  kick.set_room("2nd");
  kick.set_user("ann");
  v1::KickResponse kicked;
  grpc::ClientContext kick_context;
  kick_context.set_deadline(TestDeadline());
  ASSERT_TRUE(first_.stub->Kick(&kick_context, kick, &kicked).ok());
  EXPECT_EQ(kicked.offset(), 3u);
  ASSERT_TRUE(stream.ReadEvents(3));
}

TEST_F(ForwardTest, TheOwnersErrorsComeBackAsTheyAre) {
  v1::KickRequest kick;
  kick.set_room("2nd");
  kick.set_user("ann");
  v1::KickResponse kicked;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  const grpc::Status status = first_.stub->Kick(&context, kick, &kicked);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "room \"2nd\" does not exist: nobody is there");
}

TEST_F(ForwardTest, AddIsForTheOwnerAlone) {
  TestStream stream(*first_.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  v1::AddRequest request;
  request.set_room("2nd");
  request.set_user("ann");
  request.set_lease(stream.lease);
  request.set_session(1);
  v1::AddResponse response;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  const grpc::Status status = first_.stub->Add(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "room \"2nd\" belongs to chat server \"chat-2\"");
  EXPECT_EQ(context.GetServerTrailingMetadata().find("hubbub-owner")->second, "chat-2");
}

TEST_F(ForwardTest, ACallIsForwardedOnce) {
  v1::SendResponse sent;
  const grpc::Status status = Send(*first_.stub, "2nd", &sent, /*forwarded=*/true);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "room \"2nd\" belongs to chat server \"chat-2\"");
  EXPECT_TRUE(Send(*second_.stub, "2nd", &sent, /*forwarded=*/true).ok());
}

TEST_F(ForwardTest, TwoServersThatDisagreeDoNotPassACallToAndFro) {
  // Both believe that the other one owns the room.
  TestServer wrong(Options("chat-1", &to_first_));
  v1::SendResponse sent;
  const grpc::Status status = Send(*wrong.stub, "2nd", &sent);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("belongs to chat server \"chat-2\""));
}

TEST_F(ForwardTest, AnOwnerThatDoesNotAnswerIsUnavailable) {
  to_second_ = v1::ChatService::NewStub(
      grpc::CreateChannel("unix:/nowhere/at/all", grpc::InsecureChannelCredentials()));
  v1::SendResponse sent;
  const grpc::Status status = Send(*first_.stub, "2nd", &sent);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the chat server that owns room \"2nd\" did not answer"));
}

TEST_F(ForwardTest, APlaceOfThisServersLeaseIsEndedHereWhoeverOwnsTheRoomByNow) {
  TestStream stream(*first_.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  all_are_mine_ = true;
  ASSERT_TRUE(first_.rooms.Add("2nd", "ann", {*first_.leases.Find(stream.lease), 1, ""}, "").ok());
  all_are_mine_ = false;
  v1::KickRequest kick;
  kick.set_room("2nd");
  kick.set_user("ann");
  kick.set_lease(stream.lease);
  kick.set_session(1);
  v1::KickResponse kicked;
  grpc::ClientContext context;
  context.set_deadline(TestDeadline());
  ASSERT_TRUE(first_.stub->Kick(&context, kick, &kicked).ok());
  EXPECT_EQ(kicked.offset(), 2u);
}

// An owner that keeps what it was called with.
class Owner final : public v1::ChatService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context, const v1::SendRequest*,
                                 v1::SendResponse*) override {
    request_id = rpc::RequestIdIn(context->client_metadata());
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  std::string request_id;  // Of the last call that has been answered.
};

TEST_F(ForwardTest, TheRequestIdGoesAlong) {
  Owner owner;
  grpc::ServerBuilder builder;
  builder.RegisterService(&owner);
  const auto server = builder.BuildAndStart();
  to_second_ = v1::ChatService::NewStub(server->InProcessChannel({}));
  v1::SendRequest request;
  request.set_room("2nd");
  request.set_from("system");
  request.set_content("hi");
  for (const std::string& id : {std::string("abc-1"), std::string()}) {
    grpc::ClientContext context;
    context.set_deadline(TestDeadline());
    rpc::SetRequestId(context, id);
    v1::SendResponse response;
    ASSERT_TRUE(first_.stub->Send(&context, request, &response).ok());
    EXPECT_EQ(owner.request_id, id);
  }
  server->Shutdown();
}

}  // namespace
}  // namespace hubbub::chat
