#include "services/net/socket_connection.h"

#include <algorithm>
#include <utility>

#include "boost/system/error_code.hpp"

namespace hubbub::net {

std::string_view ToString(CloseReason reason) {
  switch (reason) {
    case CloseReason::kClientLeft:
      return "client_left";
    case CloseReason::kProtocolError:
      return "protocol_error";
    case CloseReason::kTimeout:
      return "timeout";
    case CloseReason::kSlow:
      return "slow";
    case CloseReason::kKicked:
      return "kicked";
    case CloseReason::kShutdown:
      return "shutdown";
    case CloseReason::kRefused:
      return "refused";
  }
  return "unknown";
}

void ConnectionSet::Insert(std::shared_ptr<SocketConnection> connection) {
  connections_.insert(std::move(connection));
}

void ConnectionSet::Erase(const std::shared_ptr<SocketConnection>& connection) {
  connections_.erase(connection);
}

void ConnectionSet::StartTicking() {
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error || self->ended_) return;
    const auto now = Clock::now();
    for (const auto& connection : self->connections_) connection->Tick(now);
    self->StartTicking();
  });
}

void ConnectionSet::WriteSoon(std::shared_ptr<SocketConnection> connection) {
  due_.push_back(std::move(connection));
  if (due_.size() > 1) return;
  asio::post(loop_.context(), [self = shared_from_this()] {
    self->writing_.swap(self->due_);
    for (const auto& one : self->writing_) one->Write();
    self->writing_.clear();
  });
}

void ConnectionSet::MakeArrivalsGuests() {
  for (Arrival* arrival : arrivals_) arrival->BecomeGuest();
}

void ConnectionSet::CloseSome(size_t count, const std::string& detail) {
  for (const auto& connection : connections_) {
    if (count == 0) return;
    if (connection->Shutdown(detail)) --count;
  }
}

void ConnectionSet::AbortAll() {
  ended_ = true;
  timer_.cancel();
  for (Arrival* arrival : arrivals_) arrival->GiveUp();
  for (const auto& connection : connections_) connection->Abort(CloseReason::kShutdown, "");
}

SocketConnection::SocketConnection(Client client, beast::flat_buffer buffer, bool framed)
    : buffer_(std::move(buffer)), client_(std::move(client)), framed_(framed), progress_(Clock::now()) {}

void SocketConnection::Start(std::unique_ptr<Protocol> protocol) {
  client_.set->loop().AssertHere();
  protocol_ = std::move(protocol);
  client_.set->Insert(shared_from_this());
  // A WebSocket frame has to be read whole first; TCP bytes may be here already.
  if (framed_) {
    reading_ = true;
    StartRead();
  } else {
    traffic().received_bytes.Add(buffer_.size());
    Offer();
  }
}

void SocketConnection::Send(Payload payload) {
  client_.set->loop().AssertHere();
  if (closing_ || closed_) return;
  queued_bytes_ += payload->size();
  traffic().queued_bytes.Add(payload->size());
  if (queued_bytes_ > kHardLimit) {
    Abort(CloseReason::kSlow,
          "the client does not read: " + std::to_string(queued_bytes_) + " bytes are waiting for it");
    return;
  }
  queue_.push_back(std::move(payload));
  if (in_flight_ > 0 || std::exchange(write_is_due_, true)) return;
  progress_ = Clock::now();  // There was nothing to take before.
  client_.set->WriteSoon(shared_from_this());
}

void SocketConnection::Write() {
  write_is_due_ = false;
  if (closed_ || in_flight_ > 0) return;
  Pump();
  if (in_flight_ == 0) GoOn();
}

void SocketConnection::Pump() {
  while (true) {
    if (first_ == leaving_.size()) {
      leaving_.clear();
      first_ = 0;
      leaving_.swap(queue_);
    }
    if (leaving_.empty()) return;
    buffers_.clear();
    size_t bytes = 0;
    while (in_flight_ < kMaxGather && bytes < kMaxGatherBytes && first_ + in_flight_ < leaving_.size()) {
      buffers_.push_back(asio::buffer(*leaving_[first_ + in_flight_++]));
      bytes += buffers_.back().size();
    }
    size_t taken = WriteNow(buffers_);
    auto rest = buffers_.begin();
    while (rest != buffers_.end() && taken >= rest->size()) taken -= rest++->size();
    if (rest != buffers_.end()) {
      *rest += taken;
      return StartWrite({rest, buffers_.end()});
    }
    Written();
  }
}

// The client has taken what was in flight.
void SocketConnection::Written() {
  progress_ = Clock::now();
  size_t taken = 0;
  for (size_t i = 0; i < in_flight_; ++i) {
    taken += leaving_[first_ + i]->size();
    leaving_[first_ + i].reset();
  }
  queued_bytes_ -= taken;
  traffic().queued_bytes.Subtract(taken);
  traffic().sent_bytes.Add(taken);
  first_ += std::exchange(in_flight_, 0);
}

// Nothing waits to be written.
void SocketConnection::GoOn() {
  if (closing_) {
    if (!std::exchange(saying_goodbye_, true)) StartGoodbye(reason_, detail_);
  } else if (!reading_) {
    Offer();
  }
}

void SocketConnection::OnWrite(boost::system::error_code error) {
  if (closed_) return;
  if (error) return Abort(CloseReason::kClientLeft, error.message());
  Written();
  Pump();
  if (in_flight_ == 0) return GoOn();
  if (!reading_ && !Stalled()) Offer();
}

void SocketConnection::OnRead(boost::system::error_code error, size_t bytes, CloseReason reason) {
  traffic().received_bytes.Add(bytes);
  reading_ = false;
  if (closing_ || closed_) return;
  if (error) return Abort(reason, error.message());
  // An empty frame is nothing to offer again, but the protocol may want to know of it.
  if (framed_ && !paused_ && buffer_.size() == 0) protocol_->OnBytes({}, /*frame_end=*/true);
  Offer();
}

void SocketConnection::Resume() {
  client_.set->loop().AssertHere();
  if (!std::exchange(paused_, false)) return;
  asio::post(client_.set->loop().context(), [self = shared_from_this()] {
    if (!self->reading_) self->Offer();
  });
}

void SocketConnection::Offer() {
  if (closing_ || closed_ || paused_ || Stalled()) return;
  if (buffer_.size() > 0) {
    const auto data = buffer_.cdata();
    buffer_.consume(protocol_->OnBytes({static_cast<const char*>(data.data()), data.size()}, framed_));
    // Large messages are seldom, and clients stay for long.
    if (buffer_.size() == 0 && buffer_.capacity() > kKeptBytes) buffer_.shrink_to_fit();
    if (closing_ || closed_ || paused_ || Stalled()) return;
    if (framed_ && buffer_.size() > 0)
      return Close(CloseReason::kProtocolError, "a frame holds part of a package");
  }
  reading_ = true;
  StartRead();
}

void SocketConnection::Close(CloseReason reason, std::string detail) {
  client_.set->loop().AssertHere();
  if (closing_ || closed_) return;
  closing_ = true;
  reason_ = reason;
  detail_ = std::move(detail);
  close_by_ = Clock::now() + kCloseTimeout;
  if (in_flight_ > 0) return;
  // From a fresh stack: the caller may be in the middle of the protocol's or of a room's work.
  asio::post(client_.set->loop().context(), [self = shared_from_this()] {
    if (self->closed_ || self->in_flight_ > 0 || std::exchange(self->saying_goodbye_, true)) return;
    self->StartGoodbye(self->reason_, self->detail_);
  });
}

void SocketConnection::Abort(CloseReason reason, std::string detail) {
  client_.set->loop().AssertHere();
  if (std::exchange(closed_, true)) return;
  if (!closing_) {
    reason_ = reason;
    detail_ = std::move(detail);
  }
  traffic().queued_bytes.Subtract(std::exchange(queued_bytes_, 0));
  traffic().closes[static_cast<size_t>(reason_)].Add();
  CloseSocket();
  asio::post(client_.set->loop().context(), [self = shared_from_this()] {
    self->protocol_->OnClosed(self->reason_, self->detail_);
    self->client_.set->Erase(self);
  });
}

bool SocketConnection::Shutdown(const std::string& detail) {
  if (closing_ || closed_ || std::exchange(told_of_shutdown_, true)) return false;
  protocol_->OnShutdown(detail);
  return true;
}

void SocketConnection::OnGoodbye() {
  Abort(reason_, detail_);
}

void SocketConnection::Tick(Clock::time_point now) {
  if (closed_) return;
  if (closing_) {
    if (now > close_by_) Abort(reason_, detail_);
    return;
  }
  if (in_flight_ > 0 && now - progress_ > kStallTimeout) {
    return Abort(CloseReason::kSlow, "the client has taken nothing for 10 seconds");
  }
  protocol_->OnTick(now);
}

}  // namespace hubbub::net
