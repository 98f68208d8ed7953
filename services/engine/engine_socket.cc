#include "services/engine/engine_socket.h"

#include <chrono>
#include <string>
#include <utility>

#include "services/net/frame.h"

namespace hubbub::engine {
namespace {

// For probe and upgrade. The client's session does not end if it is late, for it goes on polling.
constexpr std::chrono::seconds kProbeTimeout{10};

}  // namespace

EngineSocket::EngineSocket(std::shared_ptr<EngineSession> session, net::Connection& connection, bool probe)
    : session_(std::move(session)),
      connection_(connection),
      stage_(probe ? Stage::kNew : Stage::kOpen),
      since_(connection.Now()) {}

void EngineSocket::Refuse(std::string_view why) {
  connection_.Close(net::CloseReason::kProtocolError, std::string(why));
}

size_t EngineSocket::OnBytes(std::string_view bytes, bool) {
  if (stage_ == Stage::kOpen) return session_->OnMessage(bytes, connection_.text());
  return OnProbe(bytes);
}

size_t EngineSocket::OnProbe(std::string_view bytes) {
  if (stage_ == Stage::kNew && bytes == "2probe") {
    if (session_ == nullptr || !session_->BeginUpgrade()) {
      Refuse("no session waits for this WebSocket");
      return bytes.size();
    }
    stage_ = Stage::kProbed;
    std::string out;
    net::AppendFrame(net::Framing::kText, out, [](std::string& to) { to += "3probe"; });
    connection_.Send(std::make_shared<const std::string>(std::move(out)));
  } else if (stage_ == Stage::kProbed && bytes == "5") {
    stage_ = Stage::kOpen;
    session_->Upgrade(connection_);
  } else {
    Refuse("a WebSocket of a session that polls has to say \"2probe\", then \"5\"");
  }
  return bytes.size();
}

void EngineSocket::OnLastByte(std::string_view detail) {
  if (stage_ == Stage::kOpen) return session_->OnLastByte(detail);
  connection_.Close(net::CloseReason::kClientLeft, std::string(detail));
}

void EngineSocket::OnTick(net::Clock::time_point now) {
  if (stage_ != Stage::kOpen && now - since_ > kProbeTimeout)
    connection_.Close(net::CloseReason::kTimeout, "no upgrade in time");
}

void EngineSocket::OnShutdown(std::string_view detail) {
  if (stage_ == Stage::kOpen) return session_->Shutdown(detail);
  connection_.Close(net::CloseReason::kShutdown, std::string(detail));
}

void EngineSocket::OnClosed(net::CloseReason reason, std::string_view detail) {
  if (stage_ == Stage::kOpen) session_->OnSocketClosed(reason, detail);
  if (stage_ == Stage::kProbed) session_->GiveUpgradeUp();
}

}  // namespace hubbub::engine
