#include "connector/chat_servers/chat_link.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/support/server_callback.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/base/mutex.h"
#include "services/rpc/server.h"
#include "services/testing/wait.h"

namespace hubbub::connector {
namespace {

using hubbub::testing::WaitUntil;
using ::testing::ElementsAre;

constexpr uint64_t kIncarnation = 5;

// A chat server that ends streams as the test says. It gives the lease that it is asked for, and a new one,
// 1, 2, 3 …, to a connector that asks for none.
class Chat final : public chat::v1::ChatService::CallbackService {
 public:
  // What becomes of each Subscribe: OK stays until it is cancelled, UNAVAILABLE ends after the first batch,
  // and another status ends it at once.
  explicit Chat(std::vector<grpc::Status> fates) : fates_(std::move(fates)) {
    auto server = rpc::Server::Start({.host = "127.0.0.1", .services = {this}});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  ~Chat() override { server_->Shutdown(0); }
  uint16_t port() const { return server_->port(); }

  grpc::ServerWriteReactor<chat::v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext*, const chat::v1::SubscribeRequest* request) override {
    MutexLock lock(mu_);
    const grpc::Status fate = asked_.size() < fates_.size() ? fates_[asked_.size()] : grpc::Status::OK;
    asked_.push_back(request->lease());
    const bool answers = fate.ok() || fate.error_code() == grpc::StatusCode::UNAVAILABLE;
    return new Stream(answers ? (request->lease() != 0 ? request->lease() : ++given_) : 0, fate);
  }

  // The leases that were asked for, one a Subscribe.
  std::vector<uint64_t> asked() const {
    MutexLock lock(mu_);
    return asked_;
  }

 private:
  // Lease 0: it ends without a word.
  class Stream final : public grpc::ServerWriteReactor<chat::v1::SubscribeResponse> {
   public:
    Stream(uint64_t lease, grpc::Status fate) : fate_(std::move(fate)) {
      if (lease == 0) {
        Finish(fate_);
        return;
      }
      batch_.set_lease(lease);
      batch_.set_incarnation(kIncarnation);
      batch_.set_seq(1);
      StartWrite(&batch_);
    }
    void OnWriteDone(bool) override {
      if (!fate_.ok()) Finish(fate_);
    }
    void OnCancel() override {
      if (fate_.ok()) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    const grpc::Status fate_;
    chat::v1::SubscribeResponse batch_;
  };

  const std::vector<grpc::Status> fates_;
  mutable Mutex mu_;
  std::vector<uint64_t> asked_ ABSL_GUARDED_BY(mu_);
  uint64_t given_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<rpc::Server> server_;
};

// What a link to `chat` tells: "up 5 fresh", "up 5", "lost". It ends with the test.
class Told {
 public:
  Told(const Chat& chat, bool grpc_library)
      : link_(loops_.at(0), {.id = "chat-1", .host = "127.0.0.1", .port = chat.port()},
              {.connector_id = "connector-1", .connector_run = 1, .grpc_library = grpc_library},
              {.on_events = [](const auto&, auto&) {},
               .on_up =
                   [this](const std::string&, uint64_t incarnation, bool fresh) {
                     Add("up " + std::to_string(incarnation) + (fresh ? " fresh" : ""));
                   },
               .on_lost = [this](const std::string&) { Add("lost"); }}) {
    link_.Start();
  }
  ~Told() { link_.Stop(); }

  const ChatLink& link() const { return link_; }
  std::vector<std::string> all() const {
    MutexLock lock(mu_);
    return all_;
  }

 private:
  void Add(std::string what) {
    MutexLock lock(mu_);
    all_.push_back(std::move(what));
  }

  mutable Mutex mu_;
  std::vector<std::string> all_ ABSL_GUARDED_BY(mu_);
  net::Loops loops_{1};
  ChatLink link_;
};

// With calls by gRPC's library, and by the loops.
class ChatLinkTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(By, ChatLinkTest, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "Grpc" : "Loop"; });

const grpc::Status kBreaks(grpc::StatusCode::UNAVAILABLE, "the network is bad");
const grpc::Status kRefuses(grpc::StatusCode::INTERNAL, "no");

TEST_P(ChatLinkTest, AStreamThatBreaksGoesOnWithItsLease) {
  const Chat chat({kBreaks});
  const Told told(chat, GetParam());
  ASSERT_TRUE(WaitUntil([&] { return told.all().size() == 2; }));
  EXPECT_THAT(told.all(), ElementsAre("up 5 fresh", "up 5"));
  EXPECT_THAT(chat.asked(), ElementsAre(0, 1));
  EXPECT_EQ(told.link().lease(), 1u);
}

// Meanwhile sessions have left whose places may have been given up in vain: the old lease must end.
TEST_P(ChatLinkTest, AServerThatWasLostGivesAnotherLease) {
  const Chat chat({kBreaks, kRefuses});
  const Told told(chat, GetParam());
  ASSERT_TRUE(WaitUntil([&] { return told.all().size() == 3; }));
  EXPECT_THAT(told.all(), ElementsAre("up 5 fresh", "lost", "up 5 fresh"));
  EXPECT_THAT(chat.asked(), ElementsAre(0, 1, 0));
  EXPECT_EQ(told.link().lease(), 2u);
}

}  // namespace
}  // namespace hubbub::connector
