#include "connector/chat_servers/room_sends.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/base/wait.h"
#include "services/client/testing/fake_session.h"
#include "services/rpc/grpc_call.h"
#include "services/testing/test_log.h"

namespace hubbub::connector {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A line that keeps what it is given until the test answers.
class FakeServers;

class FakeLine final : public SendStream {
 public:
  explicit FakeLine(const FakeServers& servers);

  bool LeadsTo(const Membership::At&) const override;

  void Send(std::shared_ptr<chat::v1::ChainedSend> send, std::shared_ptr<RoomSends> sends) override {
    sent.push_back(send->send().content());
    chains.push_back(send->chain());
    ids.push_back(send->request_id());
    leases.push_back(send->lease());
    shared.push_back(std::move(send));
    waiting.push_back(std::move(sends));
  }
  void EndChain(uint64_t chain) override { ended.push_back(chain); }

  // Answers the oldest.
  void Answer(const absl::Status& status, bool certain = true) {
    ASSERT_FALSE(waiting.empty());
    const auto sends = std::move(waiting.front());
    waiting.erase(waiting.begin());
    chat::v1::SendResponse response;
    if (status.ok()) response.set_offset(++offset_);
    sends->OnAnswer(status, response, certain);
  }
  std::vector<std::string> TakeSent() { return std::exchange(sent, {}); }

  std::vector<std::string> sent;
  std::vector<uint64_t> chains;
  std::vector<uint64_t> leases;
  std::vector<std::string> ids;
  std::vector<uint64_t> ended;
  std::vector<std::shared_ptr<const chat::v1::ChainedSend>> shared;  // As a line that has not written yet.
  std::vector<std::shared_ptr<RoomSends>> waiting;

 private:
  const FakeServers& servers_;
  uint64_t offset_ = 0;
};

class FakeServers final : public ChatServers {
 public:
  using ChatServers::ChatServers;

  std::shared_ptr<SendStream> SendsTo(const std::string&, uint64_t) const override {
    return real != nullptr ? real : line;
  }
  void Later(int tries, std::function<void()> then) override {
    pauses.push_back(tries);
    later.push_back(std::move(then));
  }
  void RunLater() {
    for (const auto& then : std::exchange(later, {})) then();
  }

  std::shared_ptr<FakeLine> line = std::make_shared<FakeLine>(*this);
  std::shared_ptr<SendStream> real;  // Instead of that line.
  std::vector<std::function<void()>> later;
  std::vector<int> pauses;  // Before which tries.
};

FakeLine::FakeLine(const FakeServers& servers)
    : SendStream(servers.loop(), nullptr, "chat-1", nullptr), servers_(servers) {}

bool FakeLine::LeadsTo(const Membership::At&) const {
  return servers_.line.get() == this;
}

// One member of "lobby". Everything runs on the loop.
class RoomSendsTest : public ::testing::Test {
 protected:
  RoomSendsTest() {
    options_.contract = &contract_;
    options_.pushes = &pushes_;
  }
  void Run(const std::function<void()>& test) {
    client::OnLoop(loops_.at(0), [&] {
      Begin();
      test();
      End();
    });
  }
  void Begin() {
    session_ = std::make_unique<client::FakeSession>(loops_.at(0), options_);
    session_->script.answer = client::FakeHandler::Answer::kLaterAndLetNextCome;
    session_->connection.Feed(client::from_client::Handshake());
    session_->connection.Feed(client::from_client::Ack());
    membership_ = std::make_shared<Membership>(Membership::Who{.room = "lobby"}, **session_, nullptr);
    Join(5);
    sends_ = std::make_shared<RoomSends>(*membership_, servers_, load_);
  }
  void End() {
    sends_->Close();
    sends_ = nullptr;
    // A line that ends answers all; those that nobody has answered would keep each other.
    servers_.line->waiting.clear();
    session_ = nullptr;
  }
  // The place is there, under this lease.
  void Join(uint64_t lease) {
    membership_->Asked({.server = "chat-1", .lease = lease, .incarnation = 1});
    (void)membership_->Joined({.epoch = 7, .offset = 0});
  }
  void Say(const std::string& content, const std::string& id = "",
           net::Clock::time_point deadline = net::Clock::time_point::max()) {
    session_->connection.Feed(client::from_client::Request(++requests_, std::string_view("say")));
    chat::v1::SendRequest request;
    request.set_content(content);
    request.set_id(id);
    client::Reply reply = std::move(session_->script.replies.back());
    session_->script.replies.pop_back();
    sends_->Send(std::move(request), std::move(reply), deadline);
  }
  // What the client was answered since the last time, shortened.
  std::vector<std::string> Answers() {
    std::vector<std::string> answers;
    for (const std::string& line : std::exchange(session_->connection.log, {})) {
      if (line.starts_with("response ")) answers.push_back(line.substr(9, line.find(',') - 9));
    }
    return answers;
  }

  net::Loops loops_{1};
  const client::ClientContract contract_{false, false, std::nullopt};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  client::PomeloOptions options_;
  std::shared_ptr<Membership> membership_;
  ChatLinks no_links_{loops_, {}, {}};
  FakeServers servers_{no_links_, loops_.at(0)};
  const std::shared_ptr<SendLoad> load_ = std::make_shared<SendLoad>();
  std::unique_ptr<client::FakeSession> session_;
  std::shared_ptr<RoomSends> sends_;
  uint64_t requests_ = 0;
};

TEST_F(RoomSendsTest, DoNotWaitForEachOther) {
  Run([&] {
    for (const char* content : {"a", "b", "c"}) Say(content);
    EXPECT_THAT(servers_.line->TakeSent(), ElementsAre("a", "b", "c"));
    EXPECT_EQ(load_->sends, 3u);
    EXPECT_GT(load_->bytes, 3u);
    for (int i = 0; i < 3; ++i) servers_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("1 {\"offset\":1", "2 {\"offset\":2", "3 {\"offset\":3"));
    EXPECT_EQ(load_->sends, 0u);
    EXPECT_EQ(load_->bytes, 0u);
    EXPECT_THAT(servers_.later, IsEmpty());
  });
}

TEST_F(RoomSendsTest, NameTheirRequestsWhileRequestsAreLogged) {
  Run([&] {
    {
      const hubbub::testing::TestLog log(spdlog::level::debug);
      for (const char* content : {"a", "b", "c"}) Say(content);
    }
    const std::vector<std::string>& ids = servers_.line->ids;
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 3u) << "each has its request's id";
    Say("d");
    EXPECT_EQ(ids.back(), "") << "nobody would read it";
    for (int i = 0; i < 4; ++i) servers_.line->Answer(absl::OkStatus());
  });
}

TEST_F(RoomSendsTest, OneThatCanNotBeDoneNowIsSentAgainWithAllBehindIt) {
  Run([&] {
    for (const char* content : {"a", "b", "c"}) Say(content);
    servers_.line->TakeSent();
    servers_.line->Answer(absl::OkStatus());
    servers_.line->Answer(absl::AbortedError("the room moves"));
    Say("d");
    EXPECT_THAT(servers_.line->sent, IsEmpty()) << "it would overtake";
    EXPECT_THAT(servers_.later, IsEmpty()) << "c is on its way";
    servers_.line->Answer(absl::AbortedError("an earlier one was not done"));
    EXPECT_THAT(servers_.line->ended, ElementsAre(servers_.line->chains[0]));
    EXPECT_THAT(Answers(), ElementsAre("1 {\"offset\":1"));
    servers_.RunLater();
    EXPECT_THAT(servers_.line->TakeSent(), ElementsAre("b", "c", "d"));
    EXPECT_NE(servers_.line->chains.back(), servers_.line->chains.front()) << "that one is broken";
    for (int i = 0; i < 3; ++i) servers_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("2 {\"offset\":2", "3 {\"offset\":3", "4 {\"offset\":4"));
  });
}

TEST_F(RoomSendsTest, PausesGrowWhileAChatServerRefusesAndNotWhileThereIsNone) {
  Run([&] {
    Say("a");
    for (int i = 0; i < 4; ++i) {
      servers_.line->Answer(absl::AbortedError("not now"));
      servers_.RunLater();
    }
    EXPECT_THAT(servers_.pauses, ElementsAre(0, 1, 2, 3));
    servers_.line->Answer(absl::OkStatus());
    Say("b");
    servers_.line->Answer(absl::AbortedError("not now"));
    EXPECT_EQ(servers_.pauses.back(), 0) << "something has been done since";
    const auto line = std::exchange(servers_.line, nullptr);
    for (int i = 0; i < 3; ++i) servers_.RunLater();
    EXPECT_THAT(servers_.pauses, ElementsAre(0, 1, 2, 3, 0, 0, 0, 0));
    servers_.line = line;
  });
}

TEST_F(RoomSendsTest, OneThatCanNeverBeDoneIsAnsweredAndHoldsNobodyUp) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content);
    servers_.line->Answer(absl::NotFoundError("nobody of that name"));
    servers_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("1 {\"code\":404", "2 {\"offset\":1"));
  });
}

TEST_F(RoomSendsTest, WhenTheLineBreaksOnlyWhatHasAnIdIsSentAgain) {
  Run([&] {
    Say("a", "id-a");
    Say("b");
    Say("c", "id-c");
    servers_.line->TakeSent();
    for (int i = 0; i < 3; ++i) servers_.line->Answer(absl::UnavailableError("it broke"), /*certain=*/false);
    EXPECT_THAT(Answers(), ElementsAre("2 {\"code\":503"));
    servers_.RunLater();
    EXPECT_THAT(servers_.line->TakeSent(), ElementsAre("a", "c"));
  });
}

// gRPC has several codes for that.
TEST_F(RoomSendsTest, HoweverTheLineBreaksTheClientMayTryAgain) {
  Run([&] {
    for (const auto code : {absl::StatusCode::kInternal, absl::StatusCode::kUnknown,
                            absl::StatusCode::kPermissionDenied, absl::StatusCode::kCancelled}) {
      Say("a");
      servers_.line->Answer(absl::Status(code, "it broke"), /*certain=*/false);
      EXPECT_THAT(Answers(), ElementsAre(::testing::EndsWith("{\"code\":503"))) << static_cast<int>(code);
    }
  });
}

TEST_F(RoomSendsTest, WhatTheChatServerDoesNotKnowIsSentAgainIfItHasAnId) {
  Run([&] {
    Say("a", "id-a");
    Say("b");
    servers_.line->TakeSent();
    for (int i = 0; i < 2; ++i) servers_.line->Answer(absl::UnknownError("perhaps"));
    EXPECT_THAT(Answers(), ElementsAre("2 {\"code\":503"));
    servers_.RunLater();
    EXPECT_THAT(servers_.line->TakeSent(), ElementsAre("a"));
    servers_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("1 {\"offset\":1"));
  });
}

// A chat server that answers two sends the other way round, each with its number as the offset.
class OvertakingServer final : public chat::v1::ChatService::Service {
 public:
  OvertakingServer() {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~OvertakingServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::shared_ptr<grpc::Channel> Channel() { return server_->InProcessChannel({}); }

 private:
  grpc::Status SendStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<chat::v1::SendStreamResponse, chat::v1::SendStreamRequest>* stream) override {
    std::vector<chat::v1::ChainedSend> sends;
    chat::v1::SendStreamRequest request;
    while (sends.size() < 2 && stream->Read(&request))
      sends.insert(sends.end(), request.sends().begin(), request.sends().end());
    for (auto send = sends.rbegin(); send != sends.rend(); ++send) {
      chat::v1::SendStreamResponse response;
      auto& answer = *response.add_answers();
      answer.set_number(send->number());
      answer.mutable_response()->set_offset(send->send().content() == "a" ? 10 : 20);
      stream->Write(response);
    }
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  }

  std::unique_ptr<grpc::Server> server_;
};

TEST_F(RoomSendsTest, AnswersOfAnotherRoomMayOvertake) {
  OvertakingServer server;
  const auto lease = std::make_shared<const std::atomic<uint64_t>>(5);
  const auto line = std::make_shared<SendStream>(loops_.at(0), rpc::GrpcCalls(loops_.at(0), server.Channel()),
                                                 "chat-1", lease);
  std::shared_ptr<RoomSends> others;
  servers_.real = line;
  client::OnLoop(loops_.at(0), [&] {
    Begin();
    others = std::make_shared<RoomSends>(*membership_, servers_, load_);
    Say("a");
    std::swap(sends_, others);
    Say("b");
    std::swap(sends_, others);
  });
  std::vector<std::string> answers;
  EXPECT_TRUE(hubbub::WaitUntil(
      [&] {
        client::OnLoop(loops_.at(0), [&] {
          for (std::string& answer : Answers()) answers.push_back(std::move(answer));
        });
        return answers.size() == 2;
      },
      std::chrono::seconds(20)));
  EXPECT_THAT(answers, ElementsAre("2 {\"offset\":20", "1 {\"offset\":10"));
  line->Close();
  client::OnLoop(loops_.at(0), [&] {
    others->Close();
    others = nullptr;
    End();
  });
}

TEST_F(RoomSendsTest, NothingOvertakesOnAnotherLineWhatIsOnItsWay) {
  Run([&] {
    const auto before = servers_.line;
    Say("a");
    servers_.line = std::make_shared<FakeLine>(servers_);
    Say("b");
    EXPECT_THAT(servers_.line->sent, IsEmpty());
    before->Answer(absl::OkStatus());
    servers_.RunLater();
    EXPECT_THAT(servers_.line->TakeSent(), ElementsAre("b"));
  });
}

TEST_F(RoomSendsTest, WithoutALineAllWaitAndAreAnsweredByTheirDeadline) {
  Run([&] {
    const auto line = std::exchange(servers_.line, nullptr);
    Say("late", "", net::Clock::now());
    Say("in time");
    EXPECT_THAT(Answers(), IsEmpty());
    servers_.RunLater();
    EXPECT_THAT(Answers(), ElementsAre(StartsWith("1 {\"code\":503")));
    servers_.line = line;
    servers_.RunLater();
    EXPECT_THAT(line->TakeSent(), ElementsAre("in time"));
  });
}

TEST_F(RoomSendsTest, AUserWhoHasLeftIsToldWhatBecameOfWhatWasOnItsWay) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content);
    servers_.line->Answer(absl::AbortedError("not now"));
    Say("c");
    sends_->Close();
    EXPECT_THAT(Answers(), ElementsAre("1 {\"code\":403", "3 {\"code\":403"));
    servers_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("2 {\"offset\":1"));
    EXPECT_EQ(load_->sends, 0u);
    EXPECT_THAT(servers_.later, IsEmpty());
  });
}

TEST_F(RoomSendsTest, EachSendNamesThePlaceThatTheMembershipHasThen) {
  Run([&] {
    Say("a");
    servers_.line->Answer(absl::FailedPreconditionError("the lease has ended"));
    membership_->BeginRestore();
    Join(6);
    servers_.RunLater();
    EXPECT_THAT(servers_.line->leases, ElementsAre(5u, 6u));
    servers_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("1 {\"offset\":1"));
  });
}

TEST_F(RoomSendsTest, WhatALineHasDoesNotChangeWhenItIsSentAgain) {
  Run([&] {
    Say("a");
    servers_.line->Answer(absl::AbortedError("not now"));
    servers_.RunLater();
    servers_.line->Answer(absl::OkStatus());
    const auto& shared = servers_.line->shared;
    ASSERT_EQ(shared.size(), 2u);
    EXPECT_EQ(shared[0]->chain(), servers_.line->chains[0]);
    EXPECT_EQ(shared[1]->chain(), servers_.line->chains[1]);
    EXPECT_NE(shared[0]->chain(), shared[1]->chain());
    EXPECT_EQ(shared[0]->send().content(), "a");
    EXPECT_EQ(shared[1]->send().content(), "a");
  });
}

TEST_F(RoomSendsTest, WhoseHasNoPlaceAnyMoreIsToldSoAndNotTriedAgain) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content, "id");
    for (int i = 0; i < 2; ++i) servers_.line->Answer(absl::PermissionDeniedError("no place"));
    EXPECT_THAT(Answers(), ElementsAre("1 {\"code\":403", "2 {\"code\":403"));
    EXPECT_THAT(servers_.later, IsEmpty());
  });
}

TEST_F(RoomSendsTest, WhoWaitsForTheLastAnswerIsToldOnce) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content);
    int idle = 0;
    // As the code does that then ends the membership.
    sends_->WhenIdle([&] {
      ++idle;
      EXPECT_TRUE(sends_->idle());
      sends_->Close();
    });
    servers_.line->Answer(absl::OkStatus());
    servers_.line->Answer(absl::AbortedError("not now"));
    EXPECT_EQ(idle, 0) << "what could not be done now is sent again first";
    servers_.RunLater();
    servers_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 1);
  });
}

TEST_F(RoomSendsTest, TheSessionHearsWhenNothingIsUnderWay) {
  Run([&] {
    int idle = 0;
    for (const char* content : {"a", "b"}) Say(content);
    load_->when_idle = [&idle] { ++idle; };
    servers_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 0);
    servers_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 1);
    Say("c");
    servers_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 1) << "once";
  });
}

}  // namespace
}  // namespace hubbub::connector
