#include "services/net/connection_set.h"

#include <utility>

#include "boost/asio/post.hpp"
#include "services/net/arrival.h"
#include "services/net/slowest.h"
#include "services/net/socket_connection.h"
#include "spdlog/spdlog.h"

namespace hubbub::net {

void ConnectionSet::Insert(std::shared_ptr<SocketConnection> connection) {
  loop_.AssertHere();
  connections_.insert(std::move(connection));
}

void ConnectionSet::Erase(const std::shared_ptr<SocketConnection>& connection) {
  loop_.AssertHere();
  connections_.erase(connection);
}

void ConnectionSet::StartTicking() {
  loop_.AssertHere();
  timer_.expires_after(clock_.tick());
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    self->loop_.AssertHere();
    if (error || self->ended_) return;
    const auto real = Clock::now();
    self->clock_.Tick(real);
    const auto now = self->clock_.At(real);
    for (const auto& connection : self->connections_) connection->Tick(now);
    self->StartTicking();
  });
}

void ConnectionSet::WriteSoon(std::shared_ptr<SocketConnection> connection) {
  loop_.AssertHere();
  due_.push_back(std::move(connection));
  if (due_.size() > 1) return;
  asio::post(loop_.context(), [self = shared_from_this()] {
    self->loop_.AssertHere();
    self->writing_.swap(self->due_);
    for (const auto& one : self->writing_) one->Write();
    self->writing_.clear();
  });
}

void ConnectionSet::Wait(size_t before, size_t now) {
  loop_.AssertHere();
  waiting_bytes_ += now - before;
  if (waiting_bytes_ > max_waiting_bytes_) EndTheSlowest();
}

void ConnectionSet::EndTheSlowest() {
  const size_t were = waiting_bytes_;
  // Each takes its bytes back from Wait.
  const size_t ended = net::EndTheSlowest(
      std::vector(connections_.begin(), connections_.end()),
      [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return waiting_bytes_ <= max_waiting_bytes_ / 8 * 7; },
      [](SocketConnection& worst) {
        worst.Abort(CloseReason::kSlow, "clients together do not read enough, and this one has most to take");
      });
  spdlog::warn("{} clients were closed: {} bytes waited for clients that do not read, and a loop may have {}",
               ended, were, max_waiting_bytes_);
}

void ConnectionSet::MakeArrivalsGuests() {
  loop_.AssertHere();
  for (Arrival* arrival : arrivals_) arrival->ticket().BecomeGuest();
}

void ConnectionSet::CloseSome(size_t count, const std::string& detail) {
  loop_.AssertHere();
  for (const auto& connection : connections_) {
    if (count == 0) return;
    if (connection->Shutdown(detail)) --count;
  }
}

void ConnectionSet::AbortAll() {
  loop_.AssertHere();
  ended_ = true;
  timer_.cancel();
  for (Arrival* arrival : arrivals_) arrival->GiveUp();
  for (const auto& connection : connections_) connection->Abort(CloseReason::kShutdown, "");
}

}  // namespace hubbub::net
