#include "chat/send_stream.h"

#include <string>
#include <vector>

#include "chat/test_server.h"
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

// A room that refuses what it is told to refuse.
class SendChainsTest : public ::testing::Test {
 protected:
  std::vector<int> Do(const v1::SendStreamRequest& request) {
    v1::SendStreamResponse response;
    EXPECT_TRUE(chains_.Do(request, response).ok());
    std::vector<int> codes;
    for (const v1::SendAnswer& answer : response.answers()) {
      codes.push_back(answer.code());
      EXPECT_EQ(answer.has_response(), answer.code() == 0);
      EXPECT_EQ(answer.message().empty(), answer.code() == 0);
    }
    return codes;
  }
  std::vector<int> Do(const std::string& content, uint64_t chain) {
    v1::SendStreamRequest request;
    AddSend(request, content, chain);
    return Do(request);
  }

  absl::Status refusal_;
  std::vector<std::string> done_;
  SendChains chains_{[this](const v1::ChainedSend& chained, v1::SendResponse& response) {
    if (!refusal_.ok()) return refusal_;
    done_.push_back(chained.send().content());
    response.set_offset(done_.size());
    return absl::OkStatus();
  }};
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
  v1::SendStreamResponse response;
  absl::Status status;
  for (uint64_t chain = 1; chain < 100'000 && status.ok(); ++chain) {
    v1::SendStreamRequest request;
    AddSend(request, "x", chain);
    status = chains_.Do(request, response);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status));
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

TEST_F(SendStreamTest, WhoeverDoesNotReadItsAnswersIsNotHeardWithoutBound) {
  // More than the answers that may wait; the stream's flow control then stops the writer, or nothing does.
  v1::SendStreamRequest request;
  for (int i = 0; i < 10'000; ++i) AddSend(request, "hi", 0);
  ASSERT_TRUE(stream_->Write(request));
  EXPECT_EQ(ReadAnswers(10'000).size(), 10'000u) << "all are answered once they are read";
}

}  // namespace
}  // namespace hubbub::chat
