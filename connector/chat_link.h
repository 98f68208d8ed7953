#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/directory.h"
#include "services/rpc/stream_keeper.h"
#include "services/rpc/unary.h"

namespace hubbub::connector {

// This connector's line to one chat server: the channel, and the Subscribe stream that is its lease there.
// Thread-safe. Owned by ChatLinks and by the calls under way.
class ChatLink {
 public:
  // Called on gRPC's threads, one at a time, with the events of a batch.
  using OnEvents = std::function<void(const google::protobuf::RepeatedPtrField<chat::v1::Event>&)>;
  // The chat server does not know this connector's members any more.
  using OnNewLease = std::function<void(const std::string& server_id, uint64_t lease)>;

  ChatLink(ServerInfo server, std::string connector_id, OnEvents on_events, OnNewLease on_new_lease);

  const ServerInfo& server() const { return server_; }
  void Start() { stream_.Start(); }
  // Ends the stream and waits for its last callback.
  void Stop() { stream_.Stop(); }

  // 0 while the stream is down: then nobody can be added.
  uint64_t lease() const { return reachable_ ? lease_.load() : 0; }

  // Unary calls; `done(absl::Status, Response)` runs on `loop`.
  template <typename Done>
  void Add(net::Loop& loop, chat::v1::AddRequest request, Done done) {
    rpc::CallUnary<chat::v1::AddResponse>(
        loop, std::move(request), [this](auto... arguments) { stub_->async()->Add(arguments...); },
        std::move(done));
  }
  template <typename Done>
  void Kick(net::Loop& loop, chat::v1::KickRequest request, Done done) {
    rpc::CallUnary<chat::v1::KickResponse>(
        loop, std::move(request), [this](auto... arguments) { stub_->async()->Kick(arguments...); },
        std::move(done));
  }
  template <typename Done>
  void Send(net::Loop& loop, chat::v1::SendRequest request, Done done) {
    rpc::CallUnary<chat::v1::SendResponse>(
        loop, std::move(request), [this](auto... arguments) { stub_->async()->Send(arguments...); },
        std::move(done));
  }

 private:
  void OnBatch(chat::v1::SubscribeResponse& batch);

  const ServerInfo server_;
  const std::string connector_id_;
  const OnEvents on_events_;
  const OnNewLease on_new_lease_;
  const std::unique_ptr<chat::v1::ChatService::Stub> stub_;
  std::atomic<uint64_t> lease_{0};
  std::atomic<uint64_t> next_seq_{0};
  std::atomic<bool> reachable_{true};
  rpc::StreamKeeper<chat::v1::SubscribeRequest, chat::v1::SubscribeResponse> stream_;
};

}  // namespace hubbub::connector
