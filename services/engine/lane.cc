#include "services/engine/lane.h"

#include "services/engine/engine_session.h"

namespace hubbub::engine {

void Lane::Start() {
  loop_.AssertHere();
  waiting_->Add(weak_from_this());
  StartTicking();
}

void Lane::StartTicking() {
  loop_.AssertHere();
  timer_.expires_after(clock_.tick());
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    self->loop_.AssertHere();
    if (error || self->stopped_) return;
    const auto real = net::Clock::now();
    self->clock_.Tick(real);
    const auto now = self->clock_.At(real);
    for (const auto& [sid, session] : self->sessions_) session->Tick(now);
    self->StartTicking();
  });
}

void Lane::Add(const std::string& sid, const std::shared_ptr<EngineSession>& session) {
  loop_.AssertHere();
  sessions_.emplace(sid, session);
  ++count_;
}

std::shared_ptr<EngineSession> Lane::Find(std::string_view sid) const {
  loop_.AssertHere();
  const auto at = sessions_.find(sid);
  return at == sessions_.end() ? nullptr : at->second;
}

void Lane::Erase(const std::string& sid) {
  loop_.AssertHere();
  if (sessions_.erase(sid) > 0) --count_;
}

void Lane::Wait(size_t before, size_t now) {
  loop_.AssertHere();
  auto& queued = traffic().queued_bytes;
  queued.Subtract(before);
  queued.Add(now);
  waiting_->Change(before, now);
}

std::vector<std::shared_ptr<net::WaitingClient>> Lane::AllWaiting() {
  loop_.AssertHere();
  std::vector<std::shared_ptr<net::WaitingClient>> all;
  for (const auto& [sid, session] : sessions_) all.push_back(session);
  return all;
}

void Lane::Shutdown(const std::string& detail) {
  loop_.AssertHere();
  for (const auto& [sid, session] : sessions_) {
    if (session->polls()) session->Shutdown(detail);
  }
}

void Lane::Stop() {
  loop_.AssertHere();
  stopped_ = true;
  timer_.cancel();
  // Each posts its own last words, and erases itself after them.
  for (const auto& [sid, session] : sessions_) session->End(net::CloseReason::kShutdown, "");
}

}  // namespace hubbub::engine
