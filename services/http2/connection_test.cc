#include "services/http2/connection.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "nghttp2/nghttp2.h"
#include "services/http2/message_framing.h"
#include "services/http2/testing/test_http2_server.h"

namespace hubbub::http2 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kMethod = "/hubbub.Test/Talk";

std::string Framed(const std::string& value) {
  google::protobuf::BytesValue message;
  message.set_value(value);
  return FrameMessage(message);
}

// A connection and its server; what the calls are told, in order: "message ab", "written", "end OK".
class ConnectionTest : public ::testing::Test {
 protected:
  std::shared_ptr<Call> Open(const std::string& name = "") {
    return connection_.Open({.method = kMethod, .metadata = {{"x-request-id", "7-3"}}},
                            {.on_message =
                                 [this, name](std::string_view message) {
                                   google::protobuf::BytesValue value;
                                   value.ParseFromArray(message.data(), static_cast<int>(message.size()));
                                   told_.push_back(name + "message " + value.value());
                                   if (on_message_) on_message_();
                                 },
                             .on_written = [this, name] { told_.push_back(name + "written"); },
                             .on_end =
                                 [this, name](const absl::Status& status) {
                                   told_.push_back(name + "end " + status.ToString());
                                   if (const auto then = on_end_) then();
                                 }});
  }

  // Brings bytes to and fro until both have nothing to say, or the connection is over.
  void Talk() {
    for (int turns = 0; turns < 100; ++turns) {
      std::string out;
      const absl::Status status = connection_.TakeOutput(out, 1 << 20);
      ASSERT_TRUE(server_.Receive(out));
      if (!status.ok()) {
        EXPECT_EQ(status, absl::UnavailableError("the server has ended the connection"));
        return;
      }
      const std::string in = server_.TakeOutput();
      ASSERT_TRUE(connection_.Receive(in).ok());
      if (in.empty() && out.empty()) return;
    }
    FAIL() << "they talk without end";
  }
  void Begin() {
    server_.SayHello();
    Talk();
  }

  std::vector<std::string> told_;
  std::function<void()> on_message_;
  std::function<void()> on_end_;
  int outputs_ = 0;
  Connection connection_{"chat-1:3000", [this] { ++outputs_; }};
  TestHttp2Server server_;
};

TEST_F(ConnectionTest, MessagesGoBothWaysUntilTheServerEnds) {
  Begin();
  const auto call = Open();
  call->Write(Framed("one"));
  Talk();
  const auto& seen = server_.calls().at(1);
  EXPECT_EQ(seen.fields.at(":path"), kMethod);
  EXPECT_EQ(seen.fields.at(":method"), "POST");
  EXPECT_EQ(seen.fields.at(":authority"), "chat-1:3000");
  EXPECT_EQ(seen.fields.at("te"), "trailers");
  EXPECT_EQ(seen.fields.at("x-request-id"), "7-3");
  EXPECT_EQ(seen.fields.at("content-type"), "application/grpc");
  EXPECT_EQ(seen.body, Framed("one"));
  EXPECT_FALSE(seen.ended);

  server_.Answer(1);
  server_.Send(1, Framed("two") + Framed("three"));
  Talk();
  call->Write(Framed("four"));
  Talk();
  EXPECT_EQ(server_.calls().at(1).body, Framed("one") + Framed("four"));
  server_.End(1, {{"grpc-status", "0"}});
  Talk();
  EXPECT_THAT(told_, ElementsAre("written", "message two", "message three", "written", "end OK"));
  EXPECT_EQ(connection_.calls(), 0u);
  EXPECT_TRUE(server_.calls().at(1).closed);
}

TEST_F(ConnectionTest, CallsWaitForTheServersFirstWord) {
  const auto call = Open("a ");
  const auto other = Open("b ");
  call->Write(Framed("early"));
  call->EndWrites();
  other->Cancel();
  std::string out;
  ASSERT_TRUE(connection_.TakeOutput(out, 1 << 20).ok());
  server_.SayHello();  // Which has not come yet.
  ASSERT_TRUE(server_.Receive(out));
  EXPECT_FALSE(connection_.ready());
  EXPECT_THAT(server_.calls(), IsEmpty());
  EXPECT_THAT(told_, ElementsAre("b end CANCELLED: the call was cancelled"));
  Talk();
  EXPECT_TRUE(connection_.ready());
  ASSERT_EQ(server_.calls().size(), 1u);
  EXPECT_EQ(server_.calls().at(1).body, Framed("early"));
  EXPECT_TRUE(server_.calls().at(1).ended);
}

TEST_F(ConnectionTest, ARefusalInTheHeadersIsTheOutcome) {
  Begin();
  const auto call = Open();
  Talk();
  server_.End(1, {{"grpc-status", "7"}, {"grpc-message", "only connectors may"}});
  Talk();
  EXPECT_THAT(told_, ElementsAre("end PERMISSION_DENIED: only connectors may"));
}

TEST_F(ConnectionTest, ACallIsClosedAtTheServerWhenItIsCancelled) {
  Begin();
  const auto call = Open();
  call->Write(Framed("one"));
  Talk();
  server_.Answer(1);
  Talk();
  call->Cancel();
  EXPECT_THAT(told_, ElementsAre("written"));  // Not from within Cancel.
  Talk();
  EXPECT_THAT(told_, ElementsAre("written", "end CANCELLED: the call was cancelled"));
  EXPECT_EQ(server_.calls().at(1).error, uint32_t{NGHTTP2_CANCEL});
  call->Write(Framed("late"));
  call->EndWrites();
  call->Cancel();
  Talk();
  EXPECT_EQ(server_.calls().at(1).body, Framed("one"));
}

TEST_F(ConnectionTest, AServerThatGoesAwayFinishesWhatItHas) {
  Begin();
  const auto call = Open("a ");
  Talk();
  server_.Answer(1);
  const auto late = Open("b ");  // On its way when the server says so.
  server_.GoAway(1);
  Talk();
  EXPECT_TRUE(connection_.going_away());
  EXPECT_THAT(told_, ElementsAre(HasSubstr("b end UNAVAILABLE")));
  server_.Send(1, Framed("still here"));
  server_.End(1, {{"grpc-status", "0"}});
  Talk();
  EXPECT_THAT(told_, ElementsAre(HasSubstr("b end"), "a message still here", "a end OK"));
  EXPECT_EQ(connection_.calls(), 0u);
}

TEST_F(ConnectionTest, AResetEndsOneCall) {
  Begin();
  const auto call = Open("a ");
  const auto other = Open("b ");
  Talk();
  server_.Reset(1, NGHTTP2_REFUSED_STREAM);
  Talk();
  EXPECT_THAT(told_, ElementsAre(HasSubstr("a end UNAVAILABLE")));
  EXPECT_EQ(connection_.calls(), 1u);
}

TEST_F(ConnectionTest, AMessageThatIsTooLongEndsItsCallAlone) {
  Begin();
  const auto call = Open("a ");
  const auto other = Open("b ");
  Talk();
  server_.Answer(1);
  server_.Send(1, std::string("\0\x7f\xff\xff\xff", 5));
  Talk();
  EXPECT_THAT(
      told_, ElementsAre(HasSubstr("a end RESOURCE_EXHAUSTED: the server has sent a message of 2147483647")));
  EXPECT_TRUE(server_.calls().at(1).closed);
  EXPECT_EQ(connection_.calls(), 1u);
}

TEST_F(ConnectionTest, LargeMessagesPassTheWindows) {
  Begin();
  const auto call = Open();
  const std::string large(3 << 20, 'x');
  call->Write(Framed(large));
  call->EndWrites();
  Talk();
  EXPECT_EQ(server_.calls().at(1).body.size(), Framed(large).size());
  server_.Answer(1);
  for (int i = 0; i < 8; ++i) server_.Send(1, Framed(large));
  server_.End(1, {{"grpc-status", "0"}});
  Talk();
  EXPECT_EQ(told_.size(), 10u);
  EXPECT_EQ(told_.front(), "written");
  EXPECT_EQ(told_.back(), "end OK");
}

// What does not fit the socket stays in the call, so that its user learns that it has not left.
TEST_F(ConnectionTest, OutputIsTakenAsTheSocketTakesIt) {
  Begin();
  const auto call = Open();
  call->Write(Framed(std::string(50'000, 'x')));
  std::string out;
  ASSERT_TRUE(connection_.TakeOutput(out, 20'000).ok());
  EXPECT_LT(out.size(), 40'000u);
  EXPECT_THAT(told_, IsEmpty());
  ASSERT_TRUE(server_.Receive(out));
  Talk();
  EXPECT_THAT(told_, ElementsAre("written"));
}

TEST_F(ConnectionTest, WhenItFailsEveryCallEnds) {
  server_.SayHello();
  const auto call = Open("a ");
  Talk();
  const auto other = Open("b ");
  connection_.Fail(absl::UnavailableError("cut"));
  EXPECT_THAT(told_, ::testing::UnorderedElementsAre("a end UNAVAILABLE: cut", "b end UNAVAILABLE: cut"));
  call->Write(Framed("late"));
  other->Cancel();
  EXPECT_EQ(told_.size(), 2u);
}

TEST_F(ConnectionTest, UsersMayCallBackFromTheirEvents) {
  Begin();
  auto call = Open("a ");
  Talk();
  std::shared_ptr<Call> next;
  on_message_ = [&] { call->Cancel(); };
  on_end_ = [&] {
    on_end_ = nullptr;
    call = nullptr;
    next = Open("b ");
    next->Write(Framed("again"));
  };
  server_.Answer(1);
  server_.Send(1, Framed("x"));
  Talk();
  EXPECT_THAT(told_, ElementsAre("a message x", "a end CANCELLED: the call was cancelled", "b written"));
  EXPECT_EQ(server_.calls().at(3).body, Framed("again"));
}

TEST_F(ConnectionTest, APingIsAnswered) {
  Begin();
  connection_.Ping();
  Talk();
  EXPECT_EQ(server_.pings(), 1);
}

TEST_F(ConnectionTest, WhatIsNotHttp2IsAnError) {
  absl::Status status = connection_.Receive("HTTP/1.1 400 Bad Request\r\n\r\n");
  std::string out;
  status.Update(connection_.TakeOutput(out, 1 << 20));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not support HTTP/2"));
}

TEST_F(ConnectionTest, AServerThatHasSentEverybodyAwayIsDone) {
  Begin();
  server_.GoAway(0);
  ASSERT_TRUE(connection_.Receive(server_.TakeOutput()).ok());
  std::string out;
  const absl::Status status = connection_.TakeOutput(out, 1 << 20);
  EXPECT_EQ(status, absl::UnavailableError("the server has ended the connection"));
}

TEST(ConnectionEndTest, ACallMayOutliveIt) {
  std::shared_ptr<Call> call;
  {
    Connection connection("chat-1:3000", [] {});
    call = connection.Open({.method = kMethod},
                           {.on_end = [](const absl::Status&) { FAIL() << "nobody is told"; }});
  }
  call->Write(Framed("x"));
  call->Cancel();
}

}  // namespace
}  // namespace hubbub::http2
