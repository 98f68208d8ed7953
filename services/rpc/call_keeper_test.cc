#include "services/rpc/call_keeper.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/net/loop.h"
#include "services/net/testing/on_loop.h"
#include "services/testing/wait.h"

namespace hubbub::rpc {
namespace {

using hubbub::testing::WaitUntil;
using ::testing::ElementsAre;

// What is done with a call; its events are for the test to call.
struct FakeCall final : http2::Call {
  void Write(std::string framed) override { done.push_back(std::move(framed)); }
  void EndWrites() override { done.emplace_back("end of writes"); }
  void Cancel() override { done.emplace_back("cancel"); }
  std::vector<std::string> done;
  http2::CallEvents events;
};

class CallKeeperTest : public ::testing::Test {
 protected:
  void TearDown() override {
    net::OnLoop(loops_.at(0), [this] { keeper_.Stop(); });
    loops_.Stop();
  }
  size_t Calls() {
    size_t calls = 0;
    net::OnLoop(loops_.at(0), [&] { calls = calls_.size(); });
    return calls;
  }

  net::Loops loops_{1};
  // Of the loop.
  std::vector<std::shared_ptr<FakeCall>> calls_;
  std::vector<std::string> told_;
  CallKeeper keeper_{loops_.at(0),
                     {.method = "/a/b",
                      .open =
                          [this](const http2::CallRequest& request, http2::CallEvents events) {
                            EXPECT_EQ(request.method, "/a/b");
                            calls_.push_back(std::make_shared<FakeCall>());
                            calls_.back()->events = std::move(events);
                            return calls_.back();
                          },
                      .request = [this] { return "request " + std::to_string(calls_.size()); },
                      .on_message =
                          [this](std::string_view message) {
                            told_.emplace_back(message);
                            return message != "junk";
                          },
                      .on_end = [this](const absl::Status& status) { told_.push_back(status.ToString()); }}};
};

TEST_F(CallKeeperTest, OpensACallAgainWhenItEnds) {
  net::OnLoop(loops_.at(0), [&] {
    keeper_.Start();
    keeper_.Start();
    ASSERT_EQ(calls_.size(), 1u);
    EXPECT_THAT(calls_[0]->done, ElementsAre("request 1", "end of writes"));
    calls_[0]->events.on_message("hello");
    calls_[0]->events.on_end(absl::UnavailableError("cut"));
    EXPECT_EQ(calls_.size(), 1u);  // After a pause.
    keeper_.Start();               // It has started.
    EXPECT_EQ(calls_.size(), 1u);
  });
  ASSERT_TRUE(WaitUntil([&] { return Calls() == 2; }));
  net::OnLoop(loops_.at(0), [&] {
    EXPECT_THAT(calls_[1]->done, ElementsAre("request 2", "end of writes"));
    EXPECT_THAT(told_, ElementsAre("hello", "UNAVAILABLE: cut"));
    // What the old call says is not heard.
    calls_[0]->events.on_message("late");
    calls_[0]->events.on_end(absl::OkStatus());
    EXPECT_EQ(told_.size(), 2u);
  });
}

// What came with it is asked for again by the next call.
TEST_F(CallKeeperTest, AMessageThatCannotBeReadEndsTheCall) {
  net::OnLoop(loops_.at(0), [&] {
    keeper_.Start();
    calls_[0]->events.on_message("junk");
    EXPECT_EQ(calls_[0]->done.back(), "cancel");
    calls_[0]->events.on_message("behind it");
    calls_[0]->events.on_end(absl::CancelledError("cancelled"));
    EXPECT_THAT(told_, ElementsAre("junk", "INTERNAL: a message of the server cannot be read"));
  });
  EXPECT_TRUE(WaitUntil([&] { return Calls() == 2; }));
}

TEST_F(CallKeeperTest, SaysNothingAfterStop) {
  net::OnLoop(loops_.at(0), [&] {
    keeper_.Start();
    keeper_.Stop();
    EXPECT_EQ(calls_[0]->done.back(), "cancel");
    calls_[0]->events.on_message("late");
    calls_[0]->events.on_end(absl::CancelledError("late"));
    EXPECT_THAT(told_, ElementsAre());
  });
}

TEST_F(CallKeeperTest, StopsWhileItWaits) {
  net::OnLoop(loops_.at(0), [&] {
    keeper_.Start();
    calls_[0]->events.on_end(absl::UnavailableError("cut"));
    keeper_.Stop();
  });
  // Another keeper that waits as long opens its call, and this one does not.
  std::vector<std::shared_ptr<FakeCall>> others;
  CallKeeper other(loops_.at(0), {.method = "/a/b",
                                  .open =
                                      [&](const http2::CallRequest&, http2::CallEvents events) {
                                        others.push_back(std::make_shared<FakeCall>());
                                        others.back()->events = std::move(events);
                                        return others.back();
                                      },
                                  .request = [] { return ""; },
                                  .on_message = [](std::string_view) { return true; },
                                  .on_end = [](const absl::Status&) {}});
  net::OnLoop(loops_.at(0), [&] { other.Start(); });
  for (size_t calls = 1; calls < 4; ++calls) {
    ASSERT_TRUE(WaitUntil([&] {
      bool open = false;
      net::OnLoop(loops_.at(0), [&] { open = others.size() == calls; });
      return open;
    }));
    net::OnLoop(loops_.at(0), [&] { others.back()->events.on_end(absl::UnavailableError("cut")); });
  }
  net::OnLoop(loops_.at(0), [&] { other.Stop(); });
  EXPECT_EQ(Calls(), 1u);
}

}  // namespace
}  // namespace hubbub::rpc
