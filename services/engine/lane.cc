#include "services/engine/lane.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "services/engine/engine_session.h"
#include "services/net/slowest.h"
#include "spdlog/spdlog.h"

namespace hubbub::engine {

void Lane::Start() {
  loop_.AssertHere();
  timer_.expires_after(clock_.tick());
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    self->loop_.AssertHere();
    if (error || self->stopped_) return;
    const auto real = net::Clock::now();
    self->clock_.Tick(real);
    const auto now = self->clock_.At(real);
    for (const auto& [sid, session] : self->sessions_) session->Tick(now);
    self->Start();
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
  if (queued.value() > max_waiting_bytes_) EndTheSlowest();
}

void Lane::EndTheSlowest() {
  std::vector<std::shared_ptr<EngineSession>> waiting;
  for (const auto& [sid, session] : sessions_) waiting.push_back(session);
  const uint64_t were = traffic_.queued_bytes.value();
  // Each takes its bytes back from Wait.
  const size_t ended = net::EndTheSlowest(
      std::move(waiting), [this] { return traffic_.queued_bytes.value() <= max_waiting_bytes_ / 8 * 7; },
      [](EngineSession& worst) {
        worst.End(net::CloseReason::kSlow,
                  "clients together do not poll enough, and this one has most to take");
      });
  spdlog::warn("{} clients were closed: {} bytes waited for clients that do not poll, and a loop may have {}",
               ended, were, max_waiting_bytes_);
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
