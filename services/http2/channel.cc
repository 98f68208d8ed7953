#include "services/http2/channel.h"

#include <utility>

#include "absl/status/status.h"

namespace hubbub::http2 {

Channel::Channel(net::Loop& loop, const net::asio::ip::tcp::endpoint& server)
    : loop_(loop), server_(server) {}

std::shared_ptr<Call> Channel::Open(CallRequest request, CallEvents events) {
  loop_.AssertHere();
  if (link_ == nullptr || !link_->TakesCalls()) {
    link_ = std::make_shared<Link>(loop_, server_);
    link_->Connect();
  }
  return link_->Open(std::move(request), std::move(events));
}

void Channel::Close() {
  loop_.AssertHere();
  const auto link = std::exchange(link_, nullptr);
  if (link != nullptr) link->Close(absl::CancelledError("the connection is not needed any more"));
}

void Channel::CloseSoon(const std::shared_ptr<Channel>& channel) {
  channel->loop_.Post([channel] { channel->Close(); });
}

}  // namespace hubbub::http2
