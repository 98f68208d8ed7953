#pragma once

#include <memory>
#include <string_view>

#include "services/engine/engine_session.h"
#include "services/net/connection.h"

namespace hubbub::engine {

// A WebSocket of a session: from the start, or once a client that polls has tried it with a probe. Loop-only.
// Owned by its connection.
class EngineSocket final : public net::Protocol {
 public:
  // `probe`: the client polls, and tries this WebSocket first. Null, with a probe: the session has gone.
  EngineSocket(std::shared_ptr<EngineSession> session, net::Connection& connection, bool probe);

  size_t OnBytes(std::string_view bytes, bool frame_end) override;
  void OnLastByte(std::string_view detail) override;
  // The lane ticks its sessions.
  void OnTick(net::Clock::time_point) override;
  void OnShutdown(std::string_view detail) override;
  void OnClosed(net::CloseReason reason, std::string_view detail) override;

 private:
  enum class Stage { kNew, kProbed, kOpen };

  size_t OnProbe(std::string_view bytes);
  void Refuse(std::string_view why);

  const std::shared_ptr<EngineSession> session_;
  net::Connection& connection_;
  Stage stage_;
  const net::Clock::time_point since_;
};

}  // namespace hubbub::engine
