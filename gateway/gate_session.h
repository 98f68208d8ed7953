#pragma once

#include "gateway/entry_table.h"
#include "services/session/session.h"

namespace hubbub::gateway {

// The gate's side of a client session: queryEntry and nothing else. Loop-only. Owned by its session.
class GateSession final : public SessionHandler {
 public:
  explicit GateSession(const EntryTable& table) : table_(table) {}

  void OnRequest(std::string_view route, boost::json::object body, Reply reply) override;
  void OnClosed(bool) override {}
  bool SignedIn() const override { return asked_; }

 private:
  const EntryTable& table_;
  bool asked_ = false;
};

}  // namespace hubbub::gateway
