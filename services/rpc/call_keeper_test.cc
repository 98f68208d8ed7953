#include "services/rpc/call_keeper.h"

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/net/loop.h"
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
    OnLoop([this] { keeper_.Stop(); });
    loops_.Stop();
  }
  void OnLoop(const std::function<void()>& function) {
    std::promise<void> done;
    loops_.at(0).Post([&] {
      function();
      done.set_value();
    });
    done.get_future().wait();
  }
  size_t Calls() {
    size_t calls = 0;
    OnLoop([&] { calls = calls_.size(); });
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
                      .on_message = [this](std::string_view message) { told_.emplace_back(message); },
                      .on_end = [this](const absl::Status& status) { told_.push_back(status.ToString()); }}};
};

TEST_F(CallKeeperTest, OpensACallAgainWhenItEnds) {
  OnLoop([&] {
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
  OnLoop([&] {
    EXPECT_THAT(calls_[1]->done, ElementsAre("request 2", "end of writes"));
    EXPECT_THAT(told_, ElementsAre("hello", "UNAVAILABLE: cut"));
    // What the old call says is not heard.
    calls_[0]->events.on_message("late");
    calls_[0]->events.on_end(absl::OkStatus());
    EXPECT_EQ(told_.size(), 2u);
  });
}

TEST_F(CallKeeperTest, SaysNothingAfterStop) {
  OnLoop([&] {
    keeper_.Start();
    keeper_.Stop();
    EXPECT_EQ(calls_[0]->done.back(), "cancel");
    calls_[0]->events.on_message("late");
    calls_[0]->events.on_end(absl::CancelledError("late"));
    EXPECT_THAT(told_, ElementsAre());
  });
}

TEST_F(CallKeeperTest, StopsWhileItWaits) {
  OnLoop([&] {
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
                                  .on_message = [](std::string_view) {},
                                  .on_end = [](const absl::Status&) {}});
  OnLoop([&] { other.Start(); });
  for (size_t calls = 1; calls < 4; ++calls) {
    ASSERT_TRUE(WaitUntil([&] {
      bool open = false;
      OnLoop([&] { open = others.size() == calls; });
      return open;
    }));
    OnLoop([&] { others.back()->events.on_end(absl::UnavailableError("cut")); });
  }
  OnLoop([&] { other.Stop(); });
  EXPECT_EQ(Calls(), 1u);
}

}  // namespace
}  // namespace hubbub::rpc
