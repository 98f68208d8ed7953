#include "services/net/connection_set.h"

#include <utility>

#include "boost/asio/post.hpp"
#include "services/net/arrival.h"
#include "services/net/socket_connection.h"

namespace hubbub::net {

void ConnectionSet::Insert(std::shared_ptr<SocketConnection> connection) {
  loop_.AssertHere();
  connections_.insert(std::move(connection));
}

void ConnectionSet::Erase(const std::shared_ptr<SocketConnection>& connection) {
  loop_.AssertHere();
  connections_.erase(connection);
}

void ConnectionSet::Start() {
  loop_.AssertHere();
  waiting_->Add(weak_from_this());
  StartTicking();
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

std::vector<std::shared_ptr<WaitingClient>> ConnectionSet::AllWaiting() {
  loop_.AssertHere();
  return {connections_.begin(), connections_.end()};
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
