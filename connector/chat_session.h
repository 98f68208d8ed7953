#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connector/chat_links.h"
#include "connector/encoder.h"
#include "connector/local_rooms.h"
#include "connector/partings.h"
#include "connector/restorer.h"
#include "connector/room_sends.h"
#include "services/session/session.h"
#include "services/string_map.h"

namespace hubbub::connector {

// What the sessions of one loop share. Owned by main, outlives them.
struct Surroundings {
  LocalRooms& rooms;
  Restorer& restorer;
  Partings& partings;
  ChatLinks& links;
  SendLines& send_lines;
  Encoder& encoder;
  // A session may be in so many rooms at a time.
  size_t max_rooms = 100;
  // While a room's chat server can not be had, or the room is on its way to another, a request waits so long.
  std::chrono::milliseconds patience{5'000};
  // This connector is shutting down: its sessions are sent away, and come back elsewhere.
  const std::atomic<bool>& draining;
  // So long is the name of a client kept that knows no tokens, and whose connection was lost: one heartbeat.
  std::chrono::milliseconds name_wait{3'000};
};

// The connector's side of one client session: enter, leave and send. A session is bound to one user by its
// first enter, and may be in several rooms. Loop-only. Owned by its session.
class ChatSession final : public SessionHandler, private LocalRooms::Owner {
 public:
  ChatSession(Session& session, Surroundings& around);
  ~ChatSession() override;

  void OnRequest(std::string_view route, boost::json::object body, Reply reply) override;
  void OnClosed(bool clean) override;
  bool SignedIn() const override { return tried_; }

 private:
  // A request that waits for a chat server, in chat_session_enter.cc.
  struct EnterCall;
  using EnterCallPtr = std::unique_ptr<EnterCall>;

  void Enter(const boost::json::object& body, Reply reply);
  void TryEnter(EnterCallPtr call);
  void OnAddAnswer(EnterCallPtr call, const absl::Status& status, const chat::v1::AddResponse& response);
  // Tries again, or gives up with `status`.
  void EnterLater(EnterCallPtr call, const absl::Status& status);
  static void TakeBack(EnterCallPtr call, int tries, std::function<void(EnterCallPtr)> done = {});
  void OnAdded(EnterCallPtr call, const chat::v1::AddResponse& response);
  void OnRefused(EnterCallPtr call, const absl::Status& status);
  // The session ends: nobody waits for the enter that is under way.
  void EndEnter(bool clean);

  void Leave(const boost::json::object& body, Reply reply);

  void Send(const boost::json::object& body, Reply reply);
  // Calls `then`, with the reply, once no send is under way: whoever enters or leaves a room does so after
  // what it said before.
  void AfterSends(Reply reply, std::function<void(Reply)> then);

  void OnEnded(Membership& membership, LocalRooms::End end) override;
  void Forget(std::string_view room);
  // A name that is kept for it is kept for its token, not for its address.
  bool KnowsTokens() const { return session_.own_client() || showed_token_; }
  uint32_t WaitMs() const { return KnowsTokens() ? 0 : static_cast<uint32_t>(around_.name_wait.count()); }
  void SignIn(std::string user, std::string token);
  void SignOut();

  Session& session_;
  Surroundings& around_;
  bool tried_ = false;  // There was an enter with names that can be.
  std::string user_;    // Empty before the first enter, and after it has failed.
  std::string token_;   // Whoever shows it may take this session's places over.
  bool showed_token_ = false;
  bool replaced_ = false;          // Another session has taken one of its places.
  EnterCall* entering_ = nullptr;  // The one that is under way.
  StringMap<std::unique_ptr<Membership>> memberships_;
  std::shared_ptr<SendLoad> load_ = std::make_shared<SendLoad>();
  // What calls under way hold weakly: it goes when the session ends.
  std::shared_ptr<ChatSession*> self_ = std::make_shared<ChatSession*>(this);
};

}  // namespace hubbub::connector
