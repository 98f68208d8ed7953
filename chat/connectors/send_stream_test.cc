#include "chat/connectors/send_chains.h"

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chat/testing/fake_log.h"
#include "chat/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void AddSend(v1::SendStreamRequest& request, const std::string& content, uint64_t chain,
             const std::string& room = "lobby") {
  v1::ChainedSend& send = *request.add_sends();
  send.mutable_send()->set_room(room);
  send.mutable_send()->set_from("ann");
  send.mutable_send()->set_content(content);
  send.set_chain(chain);
}

// A room that refuses what it is told to refuse, or lets it wait.
class SendChainsTest : public ::testing::Test {
 protected:
  std::vector<int> Do(const v1::SendStreamRequest& request) {
    answers_.clear();
    EXPECT_TRUE(chains_->Do(request).ok());
    return TakeCodes();
  }
  std::vector<int> Do(const std::string& content, uint64_t chain) {
    v1::SendStreamRequest request;
    AddSend(request, content, chain);
    return Do(request);
  }
  std::vector<int> TakeCodes() {
    std::vector<int> codes;
    for (const v1::SendAnswer& answer : std::exchange(answers_, {})) {
      codes.push_back(answer.code());
      EXPECT_EQ(answer.has_response(), answer.code() == 0);
      EXPECT_EQ(answer.message().empty(), answer.code() == 0);
    }
    return codes;
  }
  // Settles the send that has waited longest.
  void Settle(const absl::StatusOr<SendResult>& result) {
    ASSERT_FALSE(tickets_.empty());
    const SendTicket ticket = std::move(tickets_.front());
    tickets_.pop_front();
    Gather gather;
    ticket.waiter->OnSent(ticket.tag, result, gather);
  }

  absl::Status refusal_;
  bool pending_ = false;
  std::vector<std::string> done_;
  std::deque<SendTicket> tickets_;
  std::vector<v1::SendAnswer> answers_;
  const std::shared_ptr<SendChains> chains_ = std::make_shared<SendChains>(
      [this](const v1::ChainedSend& chained, Gather&, SendTicket& ticket) -> absl::StatusOr<SendResult> {
        if (!refusal_.ok()) return refusal_;
        done_.push_back(chained.send().content());
        if (!pending_) return SendResult{.offset = done_.size()};
        tickets_.push_back(std::move(ticket));
        return SendResult{.pending = true};
      },
      [this](v1::SendStreamResponse& answers) {
        answers_.insert(answers_.end(), answers.answers().begin(), answers.answers().end());
      });
};

constexpr int kAborted = static_cast<int>(absl::StatusCode::kAborted);

TEST_F(SendChainsTest, DoesAllInOrder) {
  v1::SendStreamRequest request;
  for (const char* content : {"1", "2", "3"}) AddSend(request, content, 5);
  EXPECT_THAT(Do(request), ElementsAre(0, 0, 0));
  EXPECT_THAT(done_, ElementsAre("1", "2", "3"));
}

TEST_F(SendChainsTest, WhatFollowsInABrokenChainIsRefusedAndOthersAreNot) {
  for (const absl::Status& refusal : {absl::AbortedError("frozen"), absl::FailedPreconditionError("moved"),
                                      absl::UnavailableError("ends")}) {
    SCOPED_TRACE(refusal.ToString());
    refusal_ = refusal;
    EXPECT_THAT(Do("lost", 1), ElementsAre(static_cast<int>(refusal.code())));
    EXPECT_THAT(Do("of none", 0), ElementsAre(static_cast<int>(refusal.code())));
    refusal_ = absl::OkStatus();
    done_.clear();
    v1::SendStreamRequest request;
    AddSend(request, "follows", 1);
    AddSend(request, "other", 2);
    AddSend(request, "of none", 0);
    EXPECT_THAT(Do(request), ElementsAre(kAborted, 0, 0));
    EXPECT_THAT(done_, ElementsAre("other", "of none"));
    // Told in the same message as more of it: those are of the chain yet.
    v1::SendStreamRequest last;
    AddSend(last, "follows too", 1);
    last.add_ended_chains(1);
    EXPECT_THAT(Do(last), ElementsAre(kAborted));
    EXPECT_THAT(Do("anew", 1), ElementsAre(0)) << "nothing is kept of a chain that has ended";
  }
}

TEST_F(SendChainsTest, WhatCanNeverBeDoneBreaksNoChain) {
  refusal_ = absl::NotFoundError("nobody of that name");
  EXPECT_THAT(Do("to nobody", 1), ElementsAre(static_cast<int>(absl::StatusCode::kNotFound)));
  refusal_ = absl::OkStatus();
  v1::SendStreamRequest request;
  AddSend(request, "no room", 1, "");
  AddSend(request, "fine", 1);
  EXPECT_THAT(Do(request), ElementsAre(static_cast<int>(absl::StatusCode::kInvalidArgument), 0));
}

TEST_F(SendChainsTest, BrokenChainsWithoutEndAreNotKeptWithoutBound) {
  refusal_ = absl::AbortedError("frozen");
  absl::Status status;
  for (uint64_t chain = 1; chain < 100'000 && status.ok(); ++chain) {
    v1::SendStreamRequest request;
    AddSend(request, "x", chain);
    status = chains_->Do(request);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status));
}

TEST_F(SendChainsTest, AnAnswerWaitsForThoseBeforeItInItsChainAlone) {
  pending_ = true;
  EXPECT_THAT(Do("1", 5), IsEmpty());
  refusal_ = absl::NotFoundError("nobody of that name");
  EXPECT_THAT(Do("2", 5), IsEmpty());
  EXPECT_THAT(Do("other", 6), ElementsAre(5));
  EXPECT_THAT(Do("of none", 0), ElementsAre(5));
  refusal_ = absl::OkStatus();
  EXPECT_THAT(Do("3", 5), IsEmpty());
  Settle(SendResult{.offset = 1});
  EXPECT_THAT(TakeCodes(), ElementsAre(0, 5));
  Settle(SendResult{.offset = 2});
  EXPECT_THAT(TakeCodes(), ElementsAre(0));
  pending_ = false;
  EXPECT_THAT(Do("4", 5), ElementsAre(0)) << "nothing is before it";
}

TEST_F(SendChainsTest, AnswersNameTheirSends) {
  v1::SendStreamRequest request;
  AddSend(request, "waits", 1);
  request.mutable_sends(0)->set_number(41);
  pending_ = true;
  EXPECT_THAT(Do(request), IsEmpty());
  pending_ = false;
  request.mutable_sends(0)->set_chain(2);
  request.mutable_sends(0)->set_number(42);
  ASSERT_TRUE(chains_->Do(request).ok());
  Settle(SendResult{.offset = 7});
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_EQ(answers_[0].number(), 42u);
  EXPECT_EQ(answers_[1].number(), 41u);
  EXPECT_EQ(answers_[1].response().offset(), 7u);
}

TEST_F(SendChainsTest, OneThatIsRefusedLaterBreaksItsChainIfItMayBeSentAgain) {
  for (const auto& [why, breaks] : {std::pair{absl::AbortedError("frozen"), true},
                                    std::pair{absl::UnavailableError("the store is away"), true},
                                    std::pair{absl::UnknownError("the store does not say"), true},
                                    std::pair{absl::InternalError("the store refuses just this"), false}}) {
    SCOPED_TRACE(why.ToString());
    pending_ = true;
    EXPECT_THAT(Do("lost", 1), IsEmpty());
    Settle(why);
    EXPECT_THAT(TakeCodes(), ElementsAre(static_cast<int>(why.code())));
    pending_ = false;
    EXPECT_THAT(Do("follows", 1), ElementsAre(breaks ? kAborted : 0));
    v1::SendStreamRequest last;
    last.add_ended_chains(1);
    EXPECT_THAT(Do(last), IsEmpty());
  }
}

TEST_F(SendChainsTest, AChainGoesIntoAnotherRoomOnlyWhenNothingOfItWaits) {
  pending_ = true;
  EXPECT_THAT(Do("1", 1), IsEmpty());
  v1::SendStreamRequest request;
  AddSend(request, "2", 1, "another room");
  EXPECT_THAT(Do(request), IsEmpty());
  Settle(SendResult{.offset = 1});
  EXPECT_THAT(TakeCodes(), ElementsAre(0, kAborted));
}

TEST_F(SendChainsTest, NobodyIsAnsweredAfterTheEnd) {
  pending_ = true;
  EXPECT_THAT(Do("1", 1), IsEmpty());
  chains_->Close();
  Settle(SendResult{.offset = 1});
  EXPECT_THAT(TakeCodes(), IsEmpty());
}

// One call, against a whole service.
class SendStreamTest : public ::testing::Test {
 protected:
  SendStreamTest() {
    context_.set_deadline(TestDeadline());
    stream_ = server_.stub->SendStream(&context_);
  }
  ~SendStreamTest() override { context_.TryCancel(); }
  std::vector<v1::SendAnswer> ReadAnswers(size_t count) {
    std::vector<v1::SendAnswer> answers;
    v1::SendStreamResponse response;
    while (answers.size() < count && stream_->Read(&response))
      answers.insert(answers.end(), response.answers().begin(), response.answers().end());
    return answers;
  }

  TestServer server_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriterInterface<v1::SendStreamRequest, v1::SendStreamResponse>> stream_;
};

TEST_F(SendStreamTest, AnswersInTheOrderOfTheSends) {
  constexpr int kBatches = 50;
  constexpr int kSends = 20;
  for (int batch = 0; batch < kBatches; ++batch) {
    v1::SendStreamRequest request;
    for (int i = 0; i < kSends; ++i) AddSend(request, "hi", 1);
    ASSERT_TRUE(stream_->Write(request));
  }
  const auto answers = ReadAnswers(kBatches * kSends);
  ASSERT_EQ(answers.size(), size_t{kBatches * kSends});
  for (size_t i = 0; i < answers.size(); ++i) ASSERT_EQ(answers[i].response().offset(), i + 1);
  stream_->WritesDone();
  v1::SendStreamResponse rest;
  EXPECT_FALSE(stream_->Read(&rest));
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(SendStreamTest, WhatIsWrongIsSaidOfThatSendAlone) {
  v1::SendStreamRequest request;
  AddSend(request, "hi", 1);
  AddSend(request, "hi", 1, "a\nroom");
  AddSend(request, "hi", 1);
  ASSERT_TRUE(stream_->Write(request));
  const auto answers = ReadAnswers(3);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].code(), 0);
  EXPECT_THAT(answers[1].message(), HasSubstr("room"));
  EXPECT_EQ(answers[2].response().offset(), 2u);
}

TEST_F(SendStreamTest, WhoHasNoPlaceIsRefusedAndWhoseLeaseHasEndedMayComeAgain) {
  TestStream events(*server_.stub, "connector-1");
  ASSERT_TRUE(events.Read());
  const auto subscriber = server_.leases.Find(events.lease);
  ASSERT_TRUE(subscriber.ok());
  ASSERT_TRUE(server_.rooms.Add("lobby", "ann", {*subscriber, 1, ""}, "").ok());
  const auto code = [&](uint64_t lease, uint64_t session) {
    v1::SendStreamRequest request;
    AddSend(request, "hi", 0);
    request.mutable_sends(0)->mutable_send()->set_from("ann");
    request.mutable_sends(0)->set_lease(lease);
    request.mutable_sends(0)->set_session(session);
    EXPECT_TRUE(stream_->Write(request));
    const auto answers = ReadAnswers(1);
    return answers.empty() ? grpc::StatusCode::UNKNOWN
                           : static_cast<grpc::StatusCode>(answers.front().code());
  };
  EXPECT_EQ(code(events.lease, 1), grpc::StatusCode::OK);
  EXPECT_EQ(code(events.lease, 2), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(code(events.lease + 1, 1), grpc::StatusCode::FAILED_PRECONDITION) << "it is restored, perhaps";
  EXPECT_EQ(code(0, 0), grpc::StatusCode::OK);
  ASSERT_TRUE(server_.rooms.KickPlace("lobby", "ann", {events.lease, 1}).ok());
  EXPECT_EQ(code(events.lease, 1), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(SendStreamTest, EndsWithTheServiceAfterItsAnswers) {
  v1::SendStreamRequest request;
  AddSend(request, "hi", 1);
  ASSERT_TRUE(stream_->Write(request));
  ASSERT_EQ(ReadAnswers(1).size(), 1u);
  server_.service.Shutdown();
  EXPECT_THAT(ReadAnswers(1), IsEmpty());
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SendStreamTest, ACallerThatDoesNotReadItsAnswersIsNotHeardWithoutBound) {
  // More than the answers that may wait; the stream's flow control then stops the writer, or nothing does.
  v1::SendStreamRequest request;
  for (int i = 0; i < 10'000; ++i) AddSend(request, "hi", 0);
  ASSERT_TRUE(stream_->Write(request));
  EXPECT_EQ(ReadAnswers(10'000).size(), 10'000u) << "all are answered once they are read";
}

// A service whose rooms have a log, which the test writes.
class LoggedSendTest : public ::testing::Test {
 protected:
  LoggedSendTest() {
    EXPECT_TRUE(server_.rooms.Open(LoggedRoom("lobby")).ok());
    context_.set_deadline(TestDeadline());
    stream_ = server_.stub->SendStream(&context_);
  }
  ~LoggedSendTest() override {
    context_.TryCancel();
    Refuse();
  }
  TestServerOptions Options() {
    TestServerOptions options;
    options.rooms.log = &log_;
    return options;
  }
  // Waits until so many sends wait, and lets the log have them.
  void Publish(size_t count) {
    auto& lines = server_.rooms.lines();
    ASSERT_TRUE(WaitUntil([&] { return lines.budget().sends() >= count; }));
    std::vector<RoomLines::Taken> taken;
    lines.Take("lobby", count, 100'000, taken);
    Gather gather;
    lines.Publish("lobby", taken.back().event->offset, gather);
  }
  void Refuse() {
    Gather gather;
    server_.rooms.lines().Refuse("lobby", absl::UnknownError("perhaps"), absl::AbortedError("no"), gather);
  }

  FakeLog log_;
  TestServer server_{Options()};
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriterInterface<v1::SendStreamRequest, v1::SendStreamResponse>> stream_;
};

TEST_F(LoggedSendTest, SendsOfAStreamAreAnsweredWhenTheLogHasThem) {
  v1::SendStreamRequest request;
  for (int i = 0; i < 3; ++i) AddSend(request, "hi", 1);
  ASSERT_TRUE(stream_->Write(request));
  ASSERT_TRUE(stream_->WritesDone());
  ASSERT_NO_FATAL_FAILURE(Publish(3));
  std::vector<uint64_t> offsets;
  v1::SendStreamResponse response;
  while (stream_->Read(&response)) {
    for (const auto& answer : response.answers()) offsets.push_back(answer.response().offset());
  }
  EXPECT_THAT(offsets, ElementsAre(1, 2, 3)) << "a stream ends when all is answered";
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(LoggedSendTest, AStreamThatEndedIsNotTouched) {
  v1::SendStreamRequest request;
  AddSend(request, "hi", 1);
  ASSERT_TRUE(stream_->Write(request));
  ASSERT_TRUE(WaitUntil([&] { return server_.rooms.lines().budget().sends() == 1; }));
  context_.TryCancel();
  v1::SendStreamResponse response;
  while (stream_->Read(&response)) {
  }
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ASSERT_NO_FATAL_FAILURE(Publish(1));
}

TEST_F(LoggedSendTest, ACallIsAnsweredWhenTheLogHasItOrNot) {
  for (const bool published : {true, false}) {
    SCOPED_TRACE(published);
    grpc::Status status;
    v1::SendResponse response;
    std::thread call([&] {
      grpc::ClientContext context;
      context.set_deadline(TestDeadline());
      v1::SendRequest request;
      request.set_room("lobby");
      request.set_from("system");
      request.set_content("hi");
      status = server_.stub->Send(&context, request, &response);
    });
    if (published) {
      EXPECT_NO_FATAL_FAILURE(Publish(1));
    } else {
      EXPECT_TRUE(WaitUntil([&] { return server_.rooms.lines().budget().sends() == 1; }));
      Refuse();
    }
    call.join();
    EXPECT_EQ(status.error_code(), published ? grpc::StatusCode::OK : grpc::StatusCode::ABORTED);
    EXPECT_EQ(response.offset(), published ? 1u : 0u);
  }
}

}  // namespace
}  // namespace hubbub::chat
