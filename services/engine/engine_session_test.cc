#include "services/engine/engine_session.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/engine/testing/fake_socket.h"

namespace hubbub::engine {
namespace {

using ::testing::ElementsAre;

// Keeps what it is told. On "fill" it says more than a client that polls may leave waiting before no more is
// taken from it; on "pause" it pauses.
class Recorder final : public net::Protocol {
 public:
  Recorder(net::Connection& connection, std::vector<std::string>& log) : connection_(connection), log_(log) {}

  size_t OnBytes(std::string_view bytes, bool) override {
    log_.emplace_back(bytes);
    if (bytes == "fill") connection_.Send(FrameOf(std::string(net::Connection::kSoftLimit, 'x')));
    if (bytes == "pause") connection_.Pause();
    return bytes.size();
  }
  void OnLastByte(std::string_view detail) override { log_.push_back("(" + std::string(detail) + ")"); }
  void OnTick(net::Clock::time_point) override {}
  void OnShutdown(std::string_view) override {}
  void OnClosed(net::CloseReason, std::string_view) override {}

 private:
  net::Connection& connection_;
  std::vector<std::string>& log_;
};

class EngineSessionTest : public ::testing::Test {
 protected:
  EngineSessionTest() {
    Do([this] {
      lane_ = std::make_shared<Lane>(loops_.at(0), std::chrono::milliseconds(1'000),
                                     net::BoundWaiting(1, size_t{1} << 30).front());
      session_ = std::make_shared<EngineSession>(lane_, limits_, socketio::EngineVersion::k4, "sid", "a test",
                                                 std::nullopt);
      lane_->Add("sid", session_);
      session_->Start(std::make_unique<Recorder>(*session_, log_), nullptr, "");
    });
  }
  ~EngineSessionTest() override {
    Do([this] { session_->End(net::CloseReason::kClientLeft, ""); });
    Do([this] {
      session_ = nullptr;
      lane_ = nullptr;
    });
  }

  // On the loop, with all that follows.
  void Do(const std::function<void()>& action) {
    OnLoop(loops_.at(0), action);
    for (int i = 0; i < 3; ++i) OnLoop(loops_.at(0), [] {});
  }
  void Post(std::string_view body) {
    session_->Post(body, /*octets=*/false, Answer(net::HttpRequest{}, net::HttpReply([](auto) {})));
  }

  const SessionLimits limits_;
  net::Loops loops_{1};
  std::shared_ptr<Lane> lane_;
  std::shared_ptr<EngineSession> session_;
  FakeSocket socket_;
  std::vector<std::string> log_;
};

// The packets that wait for a client that polls have the protocol take no more; a WebSocket that takes over
// and ends at once has it go on.
TEST_F(EngineSessionTest, TheLastByteComesAfterWhatWasPosted) {
  Do([this] {
    Post(
        "4fill\x1e"
        "4pause\x1e"
        "4b");
    EXPECT_THAT(log_, ElementsAre("fill"));
    EXPECT_TRUE(session_->BeginUpgrade());
    session_->Upgrade(socket_);
    session_->OnLastByte("gone");
  });
  EXPECT_THAT(log_, ElementsAre("fill", "pause"));
  Do([this] { session_->Resume(); });
  EXPECT_THAT(log_, ElementsAre("fill", "pause", "b", "(gone)"));
}

TEST_F(EngineSessionTest, TheLastByteComesAfterAPauseOfTheProtocol) {
  Do([this] {
    Post(
        "4fill\x1e"
        "4pause");
    EXPECT_TRUE(session_->BeginUpgrade());
    session_->Upgrade(socket_);
    session_->OnLastByte("gone");
  });
  EXPECT_THAT(log_, ElementsAre("fill", "pause"));
  Do([this] { session_->Resume(); });
  EXPECT_THAT(log_, ElementsAre("fill", "pause", "(gone)"));
}

TEST_F(EngineSessionTest, TheLastByteIsToldAtOnceIfNothingComesBeforeIt) {
  Do([this] {
    EXPECT_TRUE(session_->BeginUpgrade());
    session_->Upgrade(socket_);
    session_->OnLastByte("gone");
    EXPECT_THAT(log_, ElementsAre("(gone)"));
  });
}

}  // namespace
}  // namespace hubbub::engine
