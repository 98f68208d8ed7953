#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connector/chat_links.h"
#include "connector/encoder.h"
#include "connector/local_rooms.h"
#include "services/session/session.h"
#include "services/string_map.h"

namespace hubbub::connector {

// What the sessions of one loop share. Owned by main, outlives them.
struct Surroundings {
  LocalRooms& rooms;
  ChatLinks& links;
  Encoder& encoder;
  // A session may be in so many rooms at a time.
  size_t max_rooms = 100;
};

// The connector's side of one client session: enter, leave and send. A session is bound to one user by its
// first enter, and may be in several rooms. Loop-only. Owned by its session.
class ChatSession final : public SessionHandler, private LocalRooms::Owner {
 public:
  ChatSession(Session& session, Surroundings& around);
  ~ChatSession() override;

  void OnRequest(std::string_view route, boost::json::object body, Reply reply) override;
  void OnClosed() override;
  bool SignedIn() const override { return tried_; }

 private:
  void Enter(const boost::json::object& body, Reply reply);
  void OnAdded(const std::string& room, const absl::Status& status, const chat::v1::AddResponse& response,
               bool asks_for_missed, Reply reply);
  // The place is there: the client gets what comes from here on.
  void SettleIn(Membership& membership, const chat::v1::AddResponse& response);
  void Leave(const boost::json::object& body, Reply reply);
  void Send(const boost::json::object& body, Reply reply);

  void OnEnded(Membership& membership, LocalRooms::End end) override;

  // In chat_session_restore.cc.
  void OnLeaseLost(Membership& membership) override;
  void Restore(const std::string& room);
  void RestoreLater(const std::string& room);
  // As SettleIn, but shows first what was missed since `offset`.
  void SettleInAfter(Membership& membership, uint64_t offset, const chat::v1::AddResponse& response);
  bool IsRestoring(std::string_view room) const;
  void OnRestored(const std::string& room, const absl::Status& status, const chat::v1::AddResponse& response);
  void Forget(std::string_view room);
  void SignIn(std::string user);
  void SignOut();

  Session& session_;
  Surroundings& around_;
  bool tried_ = false;  // There was an enter with names that can be.
  std::string user_;    // Empty before the first enter, and after it has failed.
  std::string token_;   // Whoever shows it may take this session's places over.
  StringMap<std::unique_ptr<Membership>> memberships_;
  // What calls under way hold weakly: it goes when the session ends.
  std::shared_ptr<ChatSession*> self_ = std::make_shared<ChatSession*>(this);
};

}  // namespace hubbub::connector
