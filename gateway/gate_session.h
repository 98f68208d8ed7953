#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "gateway/entry_desk.h"
#include "services/client/client_session.h"

namespace hubbub::gate {

// The gate's side of a client session: queryEntry and nothing else. Loop-only. Owned by its session.
class GateSession final : public client::SessionHandler {
 public:
  GateSession(EntryDesk& desk, client::ClientSession& session) : desk_(desk), session_(session) {}

  void OnRequest(std::string_view route, boost::json::object body, client::Reply reply) override;
  void OnBadBody(std::string_view route, std::string_view why, client::Reply reply) override;
  void OnClosed(bool) override {}
  bool SignedIn() const override { return asked_; }

 private:
  // OK if the client's sign-in token, shown here or before, is for this user.
  absl::Status Admit(const boost::json::object& body, std::string_view user);

  EntryDesk& desk_;
  client::ClientSession& session_;
  bool asked_ = false;
};

}  // namespace hubbub::gate
