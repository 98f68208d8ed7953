#include "connector/room_sends.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/session/fake_session.h"

namespace hubbub::connector {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A line that keeps what it is given until the test answers.
class FakeLine final : public SendLine {
 public:
  void Send(const chat::v1::ChainedSend& send, std::shared_ptr<SendSink> sink) override {
    sent.push_back(send.send().content());
    chains.push_back(send.chain());
    ids.push_back(send.request_id());
    leases.push_back(send.lease());
    sinks.push_back(std::move(sink));
  }
  void EndChain(uint64_t chain) override { ended.push_back(chain); }

  // Answers the oldest.
  void Answer(const absl::Status& status, bool certain = true) {
    ASSERT_FALSE(sinks.empty());
    const auto sink = std::move(sinks.front());
    sinks.erase(sinks.begin());
    chat::v1::SendResponse response;
    if (status.ok()) response.set_offset(++offset_);
    sink->OnAnswer(status, response, certain);
  }
  std::vector<std::string> TakeSent() { return std::exchange(sent, {}); }

  std::vector<std::string> sent;
  std::vector<uint64_t> chains;
  std::vector<uint64_t> leases;
  std::vector<std::string> ids;
  std::vector<uint64_t> ended;
  std::vector<std::shared_ptr<SendSink>> sinks;

 private:
  uint64_t offset_ = 0;
};

class FakeLines final : public SendLines {
 public:
  std::shared_ptr<SendLine> LineOf(const Membership&) override { return line; }
  void Later(int tries, std::function<void()> then) override {
    pauses.push_back(tries);
    later.push_back(std::move(then));
  }
  void RunLater() {
    for (const auto& then : std::exchange(later, {})) then();
  }

  std::shared_ptr<FakeLine> line = std::make_shared<FakeLine>();
  std::vector<std::function<void()>> later;
  std::vector<int> pauses;  // Before which tries.
};

// One member of "lobby". Everything runs on the loop.
class RoomSendsTest : public ::testing::Test {
 protected:
  RoomSendsTest() {
    options_.contract = &contract_;
    membership_.room = "lobby";
  }
  void Run(const std::function<void()>& test) {
    OnLoop(loops_.at(0), [&] {
      session_ = std::make_unique<FakeSession>(loops_.at(0), options_);
      session_->script.answer = FakeHandler::Answer::kLaterAndLetNextCome;
      session_->connection.Feed(from_client::Handshake());
      session_->connection.Feed(from_client::Ack());
      sends_ = std::make_shared<RoomSends>(membership_, lines_, load_);
      test();
      sends_->Close();
      sends_ = nullptr;
      // A line that ends answers all; those that nobody has answered would keep each other.
      lines_.line->sinks.clear();
      session_ = nullptr;
    });
  }
  void Say(const std::string& content, const std::string& id = "",
           net::Clock::time_point deadline = net::Clock::time_point::max()) {
    session_->connection.Feed(from_client::Request(++requests_, std::string_view("say")));
    chat::v1::SendRequest request;
    request.set_content(content);
    request.set_id(id);
    Reply reply = std::move(session_->script.replies.back());
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
  const ClientContract contract_{false, false, std::nullopt};
  SessionOptions options_;
  Membership membership_;
  FakeLines lines_;
  const std::shared_ptr<SendLoad> load_ = std::make_shared<SendLoad>();
  std::unique_ptr<FakeSession> session_;
  std::shared_ptr<RoomSends> sends_;
  uint64_t requests_ = 0;
};

TEST_F(RoomSendsTest, DoNotWaitForEachOther) {
  Run([&] {
    for (const char* content : {"a", "b", "c"}) Say(content);
    EXPECT_THAT(lines_.line->TakeSent(), ElementsAre("a", "b", "c"));
    EXPECT_EQ(std::set(lines_.line->ids.begin(), lines_.line->ids.end()).size(), 3u)
        << "each has its request's id";
    EXPECT_EQ(load_->sends, 3u);
    EXPECT_GT(load_->bytes, 3u);
    for (int i = 0; i < 3; ++i) lines_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("1 {\"offset\":1", "2 {\"offset\":2", "3 {\"offset\":3"));
    EXPECT_EQ(load_->sends, 0u);
    EXPECT_EQ(load_->bytes, 0u);
    EXPECT_THAT(lines_.later, IsEmpty());
  });
}

TEST_F(RoomSendsTest, OneThatCanNotBeDoneNowIsSentAgainWithAllBehindIt) {
  Run([&] {
    for (const char* content : {"a", "b", "c"}) Say(content);
    lines_.line->TakeSent();
    lines_.line->Answer(absl::OkStatus());
    lines_.line->Answer(absl::AbortedError("the room moves"));
    Say("d");
    EXPECT_THAT(lines_.line->sent, IsEmpty()) << "it would overtake";
    EXPECT_THAT(lines_.later, IsEmpty()) << "c is on its way";
    lines_.line->Answer(absl::AbortedError("an earlier one was not done"));
    EXPECT_THAT(lines_.line->ended, ElementsAre(lines_.line->chains[0]));
    EXPECT_THAT(Answers(), ElementsAre("1 {\"offset\":1"));
    lines_.RunLater();
    EXPECT_THAT(lines_.line->TakeSent(), ElementsAre("b", "c", "d"));
    EXPECT_NE(lines_.line->chains.back(), lines_.line->chains.front()) << "that one is broken";
    for (int i = 0; i < 3; ++i) lines_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("2 {\"offset\":2", "3 {\"offset\":3", "4 {\"offset\":4"));
  });
}

TEST_F(RoomSendsTest, PausesGrowWhileAChatServerRefusesAndNotWhileThereIsNone) {
  Run([&] {
    Say("a");
    for (int i = 0; i < 4; ++i) {
      lines_.line->Answer(absl::AbortedError("not now"));
      lines_.RunLater();
    }
    EXPECT_THAT(lines_.pauses, ElementsAre(0, 1, 2, 3));
    lines_.line->Answer(absl::OkStatus());
    Say("b");
    lines_.line->Answer(absl::AbortedError("not now"));
    EXPECT_EQ(lines_.pauses.back(), 0) << "something has been done since";
    const auto line = std::exchange(lines_.line, nullptr);
    for (int i = 0; i < 3; ++i) lines_.RunLater();
    EXPECT_THAT(lines_.pauses, ElementsAre(0, 1, 2, 3, 0, 0, 0, 0));
    lines_.line = line;
  });
}

TEST_F(RoomSendsTest, OneThatCanNeverBeDoneIsAnsweredAndHoldsNobodyUp) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content);
    lines_.line->Answer(absl::NotFoundError("nobody of that name"));
    lines_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("1 {\"code\":404", "2 {\"offset\":1"));
  });
}

TEST_F(RoomSendsTest, WhenTheLineBreaksOnlyWhatHasAnIdIsSentAgain) {
  Run([&] {
    Say("a", "id-a");
    Say("b");
    Say("c", "id-c");
    lines_.line->TakeSent();
    for (int i = 0; i < 3; ++i) lines_.line->Answer(absl::UnavailableError("it broke"), /*certain=*/false);
    EXPECT_THAT(Answers(), ElementsAre("2 {\"code\":503"));
    lines_.RunLater();
    EXPECT_THAT(lines_.line->TakeSent(), ElementsAre("a", "c"));
  });
}

TEST_F(RoomSendsTest, NothingOvertakesOnAnotherLineWhatIsOnItsWay) {
  Run([&] {
    const auto before = lines_.line;
    Say("a");
    lines_.line = std::make_shared<FakeLine>();
    Say("b");
    EXPECT_THAT(lines_.line->sent, IsEmpty());
    before->Answer(absl::OkStatus());
    lines_.RunLater();
    EXPECT_THAT(lines_.line->TakeSent(), ElementsAre("b"));
  });
}

TEST_F(RoomSendsTest, WithoutALineAllWaitAndAreAnsweredByTheirDeadline) {
  Run([&] {
    const auto line = std::exchange(lines_.line, nullptr);
    Say("late", "", net::Clock::now());
    Say("in time");
    EXPECT_THAT(Answers(), IsEmpty());
    lines_.RunLater();
    EXPECT_THAT(Answers(), ElementsAre(StartsWith("1 {\"code\":503")));
    lines_.line = line;
    lines_.RunLater();
    EXPECT_THAT(line->TakeSent(), ElementsAre("in time"));
  });
}

TEST_F(RoomSendsTest, WhoeverHasLeftIsToldWhatBecameOfWhatWasOnItsWay) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content);
    lines_.line->Answer(absl::AbortedError("not now"));
    Say("c");
    sends_->Close();
    EXPECT_THAT(Answers(), ElementsAre("1 {\"code\":403", "3 {\"code\":403"));
    lines_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("2 {\"offset\":1"));
    EXPECT_EQ(load_->sends, 0u);
    EXPECT_THAT(lines_.later, IsEmpty());
  });
}

TEST_F(RoomSendsTest, EachSendNamesThePlaceThatTheMembershipHasThen) {
  Run([&] {
    membership_.lease = 5;
    Say("a");
    lines_.line->Answer(absl::FailedPreconditionError("the lease has ended"));
    membership_.lease = 6;
    lines_.RunLater();
    EXPECT_THAT(lines_.line->leases, ElementsAre(5u, 6u));
    lines_.line->Answer(absl::OkStatus());
    EXPECT_THAT(Answers(), ElementsAre("1 {\"offset\":1"));
  });
}

TEST_F(RoomSendsTest, WhoseHasNoPlaceAnyMoreIsToldSoAndNotTriedAgain) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content, "id");
    for (int i = 0; i < 2; ++i) lines_.line->Answer(absl::PermissionDeniedError("no place"));
    EXPECT_THAT(Answers(), ElementsAre("1 {\"code\":403", "2 {\"code\":403"));
    EXPECT_THAT(lines_.later, IsEmpty());
  });
}

TEST_F(RoomSendsTest, WhoWaitsForTheLastAnswerIsToldOnce) {
  Run([&] {
    for (const char* content : {"a", "b"}) Say(content);
    int idle = 0;
    // As whoever then ends the membership.
    sends_->WhenIdle([&] {
      ++idle;
      EXPECT_TRUE(sends_->idle());
      sends_->Close();
    });
    lines_.line->Answer(absl::OkStatus());
    lines_.line->Answer(absl::AbortedError("not now"));
    EXPECT_EQ(idle, 0) << "what could not be done now is sent again first";
    lines_.RunLater();
    lines_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 1);
  });
}

TEST_F(RoomSendsTest, TheSessionHearsWhenNothingIsUnderWay) {
  Run([&] {
    int idle = 0;
    for (const char* content : {"a", "b"}) Say(content);
    load_->when_idle = [&idle] { ++idle; };
    lines_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 0);
    lines_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 1);
    Say("c");
    lines_.line->Answer(absl::OkStatus());
    EXPECT_EQ(idle, 1) << "once";
  });
}

}  // namespace
}  // namespace hubbub::connector
