#pragma once

#include "gateway/entry_desk.h"
#include "services/session/session.h"

namespace hubbub::gateway {

// The gate's side of a client session: queryEntry and nothing else. Loop-only. Owned by its session.
class GateSession final : public SessionHandler {
 public:
  // `connection` names the session at this gate.
  GateSession(EntryDesk& desk, uint64_t connection) : desk_(desk), connection_(connection) {}

  void OnRequest(std::string_view route, boost::json::object body, Reply reply) override;
  void OnBadBody(std::string_view route, std::string_view why, Reply reply) override;
  void OnClosed(bool) override {}
  bool SignedIn() const override { return asked_; }

 private:
  EntryDesk& desk_;
  const uint64_t connection_;
  bool asked_ = false;
};

}  // namespace hubbub::gateway
