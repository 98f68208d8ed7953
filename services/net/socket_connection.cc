#include "services/net/socket_connection.h"

#include <algorithm>
#include <utility>

#include "boost/asio/error.hpp"
#include "boost/system/error_code.hpp"
#include "services/net/socket_state.h"

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
    case CloseReason::kFlood:
      return "flood";
    case CloseReason::kKicked:
      return "kicked";
    case CloseReason::kShutdown:
      return "shutdown";
    case CloseReason::kRefused:
      return "refused";
  }
  return "unknown";
}

SocketConnection::SocketConnection(Client client, beast::flat_buffer buffer, bool framed)
    : buffer_(std::move(buffer)),
      client_(std::move(client)),
      framed_(framed),
      progress_(client_.set->Now()),
      life_seen_at_(Clock::now()) {}

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
  const size_t bytes = payload->size() + kPayloadCost;
  queued_bytes_ += bytes;
  traffic().queued_bytes.Add(bytes);
  if (queued_bytes_ > kHardLimit) {
    Abort(CloseReason::kSlow,
          "the client does not read: " + std::to_string(queued_bytes_) + " bytes are waiting for it");
    return;
  }
  queue_.push_back(std::move(payload));
  if (in_flight_ > 0) return CountWaiting();
  if (std::exchange(write_is_due_, true)) return;
  took_ = true;  // There was nothing to take before.
  client_.set->WriteSoon(shared_from_this());
}

void SocketConnection::Write() {
  write_is_due_ = false;
  if (closed_ || in_flight_ > 0) return;
  Pump();
  if (in_flight_ == 0) return GoOn();
  CountWaiting();
}

void SocketConnection::CountWaiting() {
  const size_t before = std::exchange(waiting_bytes_, in_flight_ > 0 && !closed_ ? queued_bytes_ : 0);
  client_.set->Wait(before, waiting_bytes_);
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
  took_ = true;
  size_t taken = 0;
  for (size_t i = 0; i < in_flight_; ++i) {
    taken += leaving_[first_ + i]->size();
    leaving_[first_ + i].reset();
  }
  const size_t unqueued = taken + in_flight_ * kPayloadCost;
  queued_bytes_ -= unqueued;
  traffic().queued_bytes.Subtract(unqueued);
  traffic().sent_bytes.Add(taken);
  first_ += std::exchange(in_flight_, 0);
}

// Nothing waits to be written.
void SocketConnection::GoOn() {
  if (closing_) {
    SayGoodbye();
  } else if (!reading_) {
    Offer();
  }
}

void SocketConnection::SayGoodbye() {
  if (std::exchange(saying_goodbye_, true)) return;
  close_by_ = Now() + client_.set->patience().close;
  StartGoodbye(reason_, detail_);
}

void SocketConnection::OnWrite(boost::system::error_code error) {
  if (closed_) return;
  if (error) return Abort(CloseReason::kClientLeft, error.message());
  Written();
  Pump();
  CountWaiting();
  if (closed_) return;
  if (in_flight_ == 0) return GoOn();
  if (!reading_ && !Stalled()) Offer();
}

void SocketConnection::OnRead(boost::system::error_code error, size_t bytes, CloseReason reason) {
  traffic().received_bytes.Add(bytes);
  reading_ = false;
  if (closing_ || closed_) return;
  if (error == asio::error::eof) return OnLastByte(error.message());
  if (error) return Abort(IsTlsFault(error) ? CloseReason::kProtocolError : reason, error.message());
  // An empty frame is nothing to offer again, but the protocol may want to know of it.
  if (framed_ && !paused_ && buffer_.size() == 0) protocol_->OnBytes({}, /*frame_end=*/true);
  Offer();
}

void SocketConnection::OnLastByte(std::string detail) {
  if (closing_ || closed_ || std::exchange(got_last_byte_, true)) return;
  reading_ = false;
  last_byte_detail_ = std::move(detail);
  end_by_ = Now() + client_.set->patience().last_words;
  WatchForError();
  Offer();
}

void SocketConnection::WatchForError() {
  stream().next_layer().async_wait(Socket::wait_error,
                                   [self = shared_from_this()](boost::system::error_code error) {
                                     if (!error && !self->closing_)
                                       self->Abort(CloseReason::kClientLeft, "the client has gone");
                                   });
}

void SocketConnection::Resume() {
  client_.set->loop().AssertHere();
  if (!std::exchange(paused_, false)) return;
  asio::post(client_.set->loop().context(), [self = shared_from_this()] {
    if (!self->reading_) self->Offer();
  });
}

void SocketConnection::Offer() {
  if (closing_ || closed_ || paused_ || Stalled() || told_of_last_byte_) return;
  if (buffer_.size() > 0) {
    const auto data = buffer_.cdata();
    buffer_.consume(protocol_->OnBytes({static_cast<const char*>(data.data()), data.size()}, framed_));
    // Large messages are seldom, and clients stay for long.
    if (buffer_.size() == 0 && buffer_.capacity() > kKeptBytes) buffer_.shrink_to_fit();
    if (closing_ || closed_ || paused_ || Stalled()) return;
    if (framed_ && buffer_.size() > 0)
      return Close(CloseReason::kProtocolError, "a frame holds part of a package");
  }
  if (got_last_byte_) {
    told_of_last_byte_ = true;
    return protocol_->OnLastByte(last_byte_detail_);
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
  close_by_ = Now() + client_.set->patience().close;
  end_by_ = Now() + client_.set->patience().last_words;
  if (in_flight_ > 0) return;
  // From a fresh stack: the caller may be in the middle of the protocol's or of a room's work.
  asio::post(client_.set->loop().context(), [self = shared_from_this()] {
    if (!self->closed_ && self->in_flight_ == 0 && self->queue_.empty()) self->SayGoodbye();
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
  CountWaiting();
  traffic().closes[static_cast<size_t>(reason_)].Add();
  boost::system::error_code ignored;
  stream().next_layer().close(ignored);
  OnSocketClosed();
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
  if (in_flight_ == 0 || HasTakenMore()) {
    progress_ = now;
    if (in_flight_ > 0) close_by_ = std::min(end_by_, now + client_.set->patience().close);
  }
  if (closing_) {
    if (now > close_by_) Abort(reason_, detail_);
    return;
  }
  if (now - progress_ > client_.set->patience().stall) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(client_.set->patience().stall);
    return Abort(CloseReason::kSlow,
                 "the client has taken nothing for " + std::to_string(seconds.count()) + " seconds");
  }
  if (got_last_byte_ && now > end_by_)
    return Abort(CloseReason::kClientLeft, "the client sends no more, and what it is owed takes too long");
  protocol_->OnTick(now);
}

// Since the last tick. Large writes take a slow client many ticks, and a part of what is written waits in the
// system: so it is the system that knows.
bool SocketConnection::HasTakenMore() {
  if (std::exchange(took_, false)) return true;
  const auto state = StateOf(Handle());
  return state && state->taken_bytes > std::exchange(taken_bytes_, state->taken_bytes);
}

bool SocketConnection::HasUnread() {
  return stream().HasUnread();
}

bool SocketConnection::ShowsLife() {
  const auto state = StateOf(Handle());
  if (!state) return false;
  const auto now = Clock::now();
  const auto since = now - std::exchange(life_seen_at_, now);
  const bool has_sent = state->received_bytes > std::exchange(received_bytes_seen_, state->received_bytes);
  const bool has_taken = state->taken_bytes > std::exchange(taken_bytes_seen_, state->taken_bytes);
  return has_sent || has_taken || (state->all_taken && state->since_answer < since);
}

}  // namespace hubbub::net
