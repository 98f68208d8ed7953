#include "services/rpc/audit.h"

#include <chrono>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/rpc/channel.h"
#include "services/rpc/forwarded.h"
#include "services/rpc/request_id.h"
#include "services/rpc/server.h"
#include "services/testing/test_log.h"
#include "services/testing/wait.h"

namespace hubbub::rpc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class KickedChat final : public chat::v1::ChatService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Kick(grpc::CallbackServerContext* context, const chat::v1::KickRequest* request,
                                 chat::v1::KickResponse*) override {
    return End(context, request->user() == "nobody" ? grpc::StatusCode::NOT_FOUND : grpc::StatusCode::OK);
  }
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context, const chat::v1::SendRequest*,
                                 chat::v1::SendResponse*) override {
    return End(context, grpc::StatusCode::OK);
  }

 private:
  static grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context, grpc::StatusCode code) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish({code, ""});
    return reactor;
  }
};

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    auto started = Server::Start({.host = "127.0.0.1", .services = {&chat_}});
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    stub_ = chat::v1::ChatService::NewStub(MakeChannel("127.0.0.1:" + std::to_string(server_->port())));
  }

  void Kick(const chat::v1::KickRequest& request, bool forwarded = false) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.AddMetadata(kRequestIdKey, "r-1");
    if (forwarded) context.AddMetadata(kForwardedKey, "1");
    chat::v1::KickResponse response;
    stub_->Kick(&context, request, &response);
  }
  static chat::v1::KickRequest Request(const std::string& room, const std::string& user, uint64_t lease = 0) {
    chat::v1::KickRequest request;
    request.set_room(room);
    request.set_user(user);
    request.set_lease(lease);
    return request;
  }

  KickedChat chat_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<chat::v1::ChatService::Stub> stub_;
  const hubbub::testing::TestLog log_;
};

TEST_F(AuditTest, SaysWhoDidWhatToWhomAndTheOutcome) {
  Kick(Request("lobby", "alice"));
  Kick(Request("lobby", "nobody"));
  const auto line = [](const std::string& user, const std::string& code) {
    return AllOf(StartsWith("audit"), HasSubstr("call=ChatService/Kick"), HasSubstr("caller=unknown"),
                 HasSubstr("peer=ipv4:127.0.0.1:"), HasSubstr("room=lobby"), HasSubstr("user=" + user),
                 HasSubstr("request=r-1"), HasSubstr("code=" + code));
  };
  EXPECT_THAT(log_.lines(), ElementsAre(line("alice", "OK"), line("nobody", "NOT_FOUND")));
}

TEST_F(AuditTest, LeavesOutWhatServersDoAmongThemselves) {
  Kick(Request("lobby", "alice", /*lease=*/7));
  Kick(Request("lobby", "alice"), /*forwarded=*/true);
  grpc::ClientContext context;
  chat::v1::SendResponse response;
  EXPECT_TRUE(stub_->Send(&context, {}, &response).ok());
  EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(AuditTest, NothingThatACallerSendsBreaksOrFillsTheLine) {
  Kick(
      Request("lobby\n2026-01-01 info audit call=x\x1f"
              "caller=admin",
              std::string(3'000, '\x1b')));
  ASSERT_THAT(log_.lines(), SizeIs(1));
  const std::string line = log_.lines()[0];
  EXPECT_THAT(line, HasSubstr("room=lobby?2026-01-01 info audit call=x?caller=admin"));
  EXPECT_THAT(line, HasSubstr("(3000 bytes)"));
  EXPECT_THAT(line, AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))));
  EXPECT_LT(line.size(), 500);
}

TEST(LogName, ShowsNamesAndMakesOtherTextPlain) {
  EXPECT_EQ(LogName("日本"), "日本");
  EXPECT_EQ(LogName(""), "");
  EXPECT_EQ(LogName("a\u2028b"), "a???b") << "a line's end in some readers";
  EXPECT_EQ(LogName(std::string(65, 'x')), std::string(64, 'x') + "… (65 bytes)");
}

}  // namespace
}  // namespace hubbub::rpc
