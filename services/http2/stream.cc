#include "services/http2/stream.h"

#include <algorithm>
#include <utility>

#include "services/http2/connection.h"

namespace hubbub::http2 {

Stream::Stream(Connection& connection, CallRequest request, CallEvents events)
    : connection_(&connection), request_(std::move(request)), events_(std::move(events)) {}

void Stream::Write(std::string framed) {
  if (connection_ == nullptr) return;
  if (out_.empty()) {
    out_ = std::move(framed);
  } else {
    out_ += framed;
  }
  connection_->Resume(*this);
}

void Stream::EndWrites() {
  if (connection_ == nullptr) return;
  writes_ended_ = true;
  connection_->Resume(*this);
}

void Stream::Cancel() {
  if (connection_ != nullptr) connection_->Cancel(*this);
}

size_t Stream::Take(uint8_t* to, size_t most, bool& last) {
  const size_t bytes = std::min(most, out_.size() - taken_);
  std::copy_n(out_.data() + taken_, bytes, to);
  taken_ += bytes;
  const bool drained = taken_ == out_.size();
  last = drained && writes_ended_;
  if (drained && bytes > 0) {
    out_.clear();
    taken_ = 0;
    connection_->OnDrained(shared_from_this());
  }
  return bytes;
}

absl::Status Stream::Read(std::string_view bytes) {
  return reader_.Read(bytes, [this](std::string_view message) {
    if (events_.on_message) events_.on_message(message);
  });
}

void Stream::Leave(absl::Status status) {
  status_ = std::move(status);
  connection_ = nullptr;
}

void Stream::Abandon() {
  connection_ = nullptr;
  events_ = {};
}

void Stream::TellWritten() const {
  if (connection_ != nullptr && events_.on_written) events_.on_written();
}

void Stream::TellEnd() {
  // What its user keeps alive by them goes with them.
  const CallEvents events = std::exchange(events_, {});
  if (events.on_end) events.on_end(status_);
}

}  // namespace hubbub::http2
