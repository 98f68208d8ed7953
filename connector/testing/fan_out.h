#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/delivery/encoder.h"
#include "connector/delivery/local_rooms.h"
#include "fmt/format.h"
#include "services/client/testing/fake_session.h"

namespace hubbub::connector {

// For tests and benchmarks of the fan-out: a room full of sessions on one loop, whose connections count what
// they are sent and forget it. Made and used on the loop.
class FanOut {
 public:
  static constexpr uint64_t kEpoch = 7;

  FanOut(net::Loop& loop, size_t sessions) : rooms_(loop) {
    encoder_.Use(pushes_.Of(client::WireFormat::kJson, net::Framing::kBinary));
    for (size_t i = 0; i < sessions; ++i) members_.push_back(std::make_unique<Member>(*this, i));
  }
  ~FanOut() {
    for (const auto& member : members_) rooms_.Erase(*member->membership);
  }
  FanOut(const FanOut&) = delete;
  FanOut& operator=(const FanOut&) = delete;

  // So many messages of one room, as they come from a chat server.
  std::shared_ptr<const Deliveries> Batch(size_t messages) {
    google::protobuf::RepeatedPtrField<chat::v1::Event> events;
    for (size_t i = 0; i < messages; ++i) {
      chat::v1::Event& event = *events.Add();
      event.set_room("lobby");
      event.set_epoch(kEpoch);
      event.set_offset(++offset_);
      event.mutable_message()->set_from("ann");
      event.mutable_message()->set_target("*");
      event.mutable_message()->set_content(std::string(64, 'x'));
    }
    return std::make_shared<const Deliveries>(encoder_.Encode(std::move(events), "chat-1"));
  }
  void Deliver(const std::shared_ptr<const Deliveries>& batch) { rooms_.Deliver(batch); }
  // Payloads that connections were sent.
  size_t sent() const { return sent_; }

 private:
  class Connection final : public net::Connection {
   public:
    explicit Connection(size_t& sent) : sent_(sent) {}
    void Send(net::Payload) override { ++sent_; }
    void Pause() override {}
    void Resume() override {}
    void AllowMessages(size_t) override {}
    void Close(net::CloseReason, std::string) override {}
    bool Stalled() const override { return false; }
    bool Behind() const override { return false; }
    bool framed() const override { return true; }
    net::Clock::time_point Now() const override { return net::Clock::now(); }
    bool HasUnread() override { return false; }
    bool ShowsLife() override { return true; }
    std::string_view peer() const override { return "nobody"; }

   private:
    size_t& sent_;
  };
  class Handler final : public client::SessionHandler {
   public:
    void OnRequest(std::string_view, boost::json::object, client::Reply) override {}
    void OnClosed(bool) override {}
    bool SignedIn() const override { return true; }
  };
  struct Member {
    Member(FanOut& out, size_t i)
        : connection(out.sent_),
          session(i + 1, out.rooms_.loop(), connection,
                  std::make_unique<client::PomeloProtocol>(out.pomelo_, /*framed=*/true), out.options_,
                  [](client::ClientSession&) { return std::make_unique<Handler>(); }) {
      session.OnBytes(client::from_client::Handshake() + client::from_client::Ack(), true);
      membership = std::make_shared<Membership>(
          Membership::Who{.room = "lobby", .user = fmt::format("user-{}", i)}, session, nullptr);
      membership->Asked({.server = "chat-1"});
      out.rooms_.Insert(*membership);
      out.rooms_.Joined(*membership, {kEpoch, 0});
    }

    Connection connection;
    client::ClientSession session;
    std::shared_ptr<Membership> membership;
  };

  const client::ClientContract contract_{true, true, std::nullopt};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  const client::PomeloOptions pomelo_{.contract = &contract_, .pushes = &pushes_};
  const client::SessionOptions options_;
  Encoder encoder_{encodings_};
  LocalRooms rooms_;
  size_t sent_ = 0;
  uint64_t offset_ = 0;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace hubbub::connector
