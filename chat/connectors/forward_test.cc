#include "chat/connectors/forward.h"

#include <memory>
#include <string>
#include <utility>

#include "chat/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

// A chat server's view of two: the rooms named "1…" are chat-1's, all others chat-2's.
class FirstCharacterOwns final : public Ownership {
 public:
  explicit FirstCharacterOwns(const std::string& id) : own_(id.back()) {}

  absl::Status MayMake(std::string_view room) const override {
    const bool mine = all_are_mine || (room[0] == '1') == (own_ == '1');
    if (mine && given_to.empty()) return absl::OkStatus();
    const std::string owner = !given_to.empty() ? given_to : own_ == '1' ? "chat-2" : "chat-1";
    absl::Status status =
        absl::FailedPreconditionError(fmt::format("room \"{}\" belongs to chat server \"{}\"", room, owner));
    rpc::SetOwner(status, owner);
    return status;
  }
  absl::Status MayTake(std::string_view room) const override { return MayMake(room); }
  absl::Status MayRecover(std::string_view room) const override { return MayMake(room); }

  bool all_are_mine = false;
  std::string given_to;  // Who has all rooms; empty: as above.

 private:
  const char own_;
};

// A chat server's way to the one other server.
class OneOther final : public Cluster {
 public:
  absl::Status Ready() const override { return absl::OkStatus(); }
  uint64_t incarnation() const override { return 1; }
  OwnerStub StubOf(const std::string& id) const override { return id == "chat-3" ? third : stub; }
  Loss Report(const std::string&, uint64_t, const LossReport&, RestoreDone) override {
    return Loss::kRecovered;
  }

  OwnerStub stub;
  OwnerStub third;
};

// Two chat servers. As far as each of them knows, the rooms named "1…" are chat-1's and all others chat-2's.
class ForwardTest : public ::testing::Test {
 protected:
  TestServer::Options Options(const FirstCharacterOwns& ownership, const std::string& id, Cluster& cluster) {
    TestServer::Options options;
    options.id = id;
    options.ownership = &ownership;
    options.cluster = &cluster;
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

  FirstCharacterOwns owned_by_first_{"chat-1"};
  FirstCharacterOwns owned_by_second_{"chat-2"};
  OneOther to_first_;
  OneOther to_second_;
  TestServer first_{Options(owned_by_first_, "chat-1", to_second_)};
  TestServer second_{Options(owned_by_second_, "chat-2", to_first_)};

  void SetUp() override {
    to_first_.stub = v1::ChatService::NewStub(first_.channel);
    to_second_.stub = v1::ChatService::NewStub(second_.channel);
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
  TestServer wrong(Options(owned_by_first_, "chat-1", to_first_));
  v1::SendResponse sent;
  const grpc::Status status = Send(*wrong.stub, "2nd", &sent);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("belongs to chat server \"chat-2\""));
}

TEST_F(ForwardTest, TheServerThatARoomWasGivenToIsAskedNext) {
  TestServer::Options options;
  options.id = "chat-3";
  TestServer third(std::move(options));
  to_second_.third = v1::ChatService::NewStub(third.channel);
  owned_by_second_.given_to = "chat-3";
  v1::SendResponse sent;
  const grpc::Status status = Send(*first_.stub, "2nd", &sent);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(third.rooms.rooms(), 1u);
}

TEST_F(ForwardTest, AnOwnerThatDoesNotAnswerIsUnavailable) {
  to_second_.stub = v1::ChatService::NewStub(
      grpc::CreateChannel("unix:/nowhere/at/all", grpc::InsecureChannelCredentials()));
  v1::SendResponse sent;
  const grpc::Status status = Send(*first_.stub, "2nd", &sent);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the chat server that owns room \"2nd\" did not answer"));
}

TEST_F(ForwardTest, APlaceOfThisServersLeaseIsEndedHereWhicheverServerOwnsTheRoom) {
  TestStream stream(*first_.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  owned_by_first_.all_are_mine = true;
  ASSERT_TRUE(first_.rooms.Add("2nd", "ann", {*first_.leases.Find(stream.lease), 1, ""}, "").ok());
  owned_by_first_.all_are_mine = false;
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
  to_second_.stub = v1::ChatService::NewStub(server->InProcessChannel({}));
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
