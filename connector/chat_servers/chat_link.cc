#include "connector/chat_servers/chat_link.h"

#include <future>
#include <utility>

#include "services/base/clock.h"
#include "services/http2/message_framing.h"
#include "services/rpc/grpc_call.h"
#include "services/rpc/grpc_status.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {

using chat::v1::SubscribeRequest;
using chat::v1::SubscribeResponse;

namespace {

bool IsAddress(const std::string& host) {
  boost::system::error_code error;
  net::asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

ChatLink::ChatLink(net::Loop& loop, directory::ServerInfo server, ChatLinkOptions options, Listener listener)
    : loop_(loop),
      server_(std::move(server)),
      options_(std::move(options)),
      listener_(std::move(listener)),
      channel_(options_.grpc_library || options_.credentials != nullptr || !IsAddress(server_.host)
                   ? rpc::MakeChannel(server_.grpc_address(), options_.credentials)
                   : nullptr),
      reachability_(SteadyNowMs()),
      stream_(loop, {
                        .method = kChatService + "Subscribe",
                        .open = CallsOn(loop),
                        .request = [this] { return NextSubscribe(); },
                        .on_message = [this](std::string_view message) { return OnMessage(message); },
                        .on_end = [this](const absl::Status& status) { OnEnd(status); },
                    }) {}

ChatLink::OnLoop& ChatLink::PartsOf(net::Loop& loop) {
  const auto index = static_cast<size_t>(loop.index());
  if (on_loops_.size() <= index) on_loops_.resize(index + 1);
  OnLoop& parts = on_loops_[index];
  if (parts.open != nullptr) return parts;
  if (channel_ != nullptr) {
    parts.open = rpc::GrpcCalls(loop, channel_);
  } else {
    parts.channel = std::make_shared<http2::Channel>(
        loop, net::asio::ip::tcp::endpoint(net::asio::ip::make_address(server_.host), server_.port));
    parts.open = [channel = parts.channel](http2::CallRequest request, http2::CallEvents events) {
      return channel->Open(std::move(request), std::move(events));
    };
  }
  return parts;
}

http2::OpenCall ChatLink::CallsOn(net::Loop& loop) {
  MutexLock lock(mu_);
  return PartsOf(loop).open;
}

std::shared_ptr<SendStream> ChatLink::SendsOf(net::Loop& loop) {
  MutexLock lock(mu_);
  OnLoop& parts = PartsOf(loop);
  if (parts.sends == nullptr)
    parts.sends = std::make_shared<SendStream>(loop, parts.open, server_.id, standing_lease_);
  return parts.sends;
}

void ChatLink::Start() {
  loop_.Post([this] { stream_.Start(); });
}

void ChatLink::Stop() {
  std::promise<void> stopped;
  loop_.Post([this, &stopped] {
    stream_.Stop();
    if (state_ == State::kUp) state_ = State::kDown;
    *standing_lease_ = 0;
    stopped.set_value();
  });
  stopped.get_future().wait();
  MutexLock lock(mu_);
  for (const OnLoop& parts : on_loops_) {
    if (parts.sends != nullptr) parts.sends->Close();
    if (parts.channel != nullptr) http2::Channel::CloseSoon(parts.channel);
  }
}

std::string ChatLink::NextSubscribe() const {
  SubscribeRequest request;
  request.set_incarnation(options_.connector_run);
  request.set_connector(options_.connector_id);
  request.set_lease(lease_);
  request.set_next_seq(next_seq_);
  return http2::FrameMessage(request);
}

bool ChatLink::OnMessage(std::string_view message) {
  SubscribeResponse batch;
  if (!batch.ParseFromArray(message.data(), static_cast<int>(message.size()))) return false;
  OnBatch(batch);
  return true;
}

void ChatLink::OnBatch(SubscribeResponse& batch) {
  reachability_.Heard();
  if (batch.incarnation() != 0) incarnation_ = batch.incarnation();
  const uint64_t before = lease_.exchange(batch.lease());
  const bool fresh = before != batch.lease();
  *standing_lease_ = batch.lease();
  if (fresh) next_seq_ = batch.seq();
  if (const State was = state_.exchange(State::kUp); was != State::kUp || fresh) {
    if (was != State::kNew) spdlog::info("chat server {} is back", server_.id);
    if (before != 0 && fresh) spdlog::warn("chat server {} has forgotten this connector", server_.id);
    listener_.on_up(server_.id, incarnation_, fresh);
  }
  if (batch.seq() > next_seq_) {
    spdlog::error("events {} to {} of chat server {} are missing", next_seq_.load(), batch.seq() - 1,
                  server_.id);
  }
  next_seq_ = batch.seq() + static_cast<uint64_t>(batch.events_size());
  if (batch.events_size() > 0) listener_.on_events(server_.id, *batch.mutable_events());
}

// A stream that breaks is opened again at once.
void ChatLink::OnEnd(const absl::Status& status) {
  const std::string why(status.message());
  const int64_t now_ms = SteadyNowMs();
  reachability_.Ended(rpc::ToGrpc(status), now_ms);
  if (reachability_.MayTell(now_ms)) {
    spdlog::warn("chat server {} at {} cannot be reached: {}; trying again", server_.id,
                 server_.grpc_address(), why);
  }
  const State was = state_;
  if (was == State::kUp) {
    state_ = State::kDown;
    *standing_lease_ = 0;
    spdlog::warn("the stream from chat server {} at {} ended: {}; trying again", server_.id,
                 server_.grpc_address(), why);
  } else if (was != State::kLost && reachability_.lost()) {
    state_ = State::kLost;
    // Sessions may leave now whose places there are given up in vain. The server takes back by itself what is
    // not restored, when the grace of the old lease is over: so nobody may go on with that.
    lease_ = 0;
    listener_.on_lost(server_.id);
  }
}

}  // namespace hubbub::connector
