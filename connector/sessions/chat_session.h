#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "connector/chat_servers/chat_servers.h"
#include "connector/chat_servers/partings.h"
#include "connector/chat_servers/restorer.h"
#include "connector/chat_servers/room_sends.h"
#include "connector/delivery/encoder.h"
#include "connector/delivery/local_rooms.h"
#include "connector/delivery/membership.h"
#include "connector/sessions/place_search.h"
#include "connector/sessions/requests.h"
#include "services/base/rate_limit.h"
#include "services/base/script_check.h"
#include "services/base/string_map.h"
#include "services/client/client_session.h"
#include "services/client/session_registry.h"

namespace hubbub::connector {

// What the sessions of one loop share. Owned by Connector, outlives them.
struct SessionEnvironment {
  client::SessionRegistry& sessions;
  LocalRooms& rooms;
  ChatServers& servers;
  Restorer& restorer;
  Partings& partings;
  Encoder& encoder;
  // The most rooms that a session may be in at a time.
  size_t max_rooms = 100;
  // Of a session; twice as many at once, so that a client that comes back enters all its rooms.
  int max_enters_per_second = 50;
  // Refuses names that mix scripts. Null: they are taken.
  const ScriptCheck* scripts = nullptr;
  // How long a request waits while the room's chat server cannot be reached, or the room is on its way to
  // another chat server.
  std::chrono::milliseconds patience{10'000};
  // This connector is shutting down: its sessions are sent away, and come back elsewhere.
  const std::atomic<bool>& draining;
  // How long a room keeps the name of a client that knows no tokens and has lost its connection.
  std::chrono::milliseconds name_wait{3'000};
};

// The connector's side of one client session: enter, leave and send. A session is bound to one user by its
// first enter, and may be in several rooms. Loop-only. Owned by its session.
class ChatSession final : public client::SessionHandler {
 public:
  ChatSession(client::ClientSession& session, SessionEnvironment& environment);
  ~ChatSession() override;

  void OnRequest(std::string_view route, boost::json::object body, client::Reply reply) override;
  void OnTick() override;
  void OnClosed(bool clean) override;
  bool SignedIn() const override { return signed_in_; }

 private:
  // A route that clients may ask for, and what answers it.
  struct Route {
    std::string_view name;
    void (ChatSession::*handler)(const boost::json::object& body, client::Reply reply);
    // Only when no send of the session is under way: a client enters or leaves after what it said before.
    bool after_sends;
  };
  // A request that waits for the answers to sends.
  struct WaitingRequest {
    const Route* route;
    boost::json::object body;
    client::Reply reply;
  };

  static const Route* FindRoute(std::string_view name);

  void Enter(const boost::json::object& body, client::Reply reply);
  // Asks for the place and answers the client. `this` is gone once the reply has no session.
  boost::asio::awaitable<void> GoIn(ChatServers& servers, Entry entry);
  void OnAdded(Entry entry, const chat::v1::AddResponse& response);

  // Shows a newer sign-in token, before the one in use ends.
  void Refresh(const boost::json::object& body, client::Reply reply);
  void Leave(const boost::json::object& body, client::Reply reply);
  void Send(const boost::json::object& body, client::Reply reply);
  void History(const boost::json::object& body, client::Reply reply);

  // OK if the client's sign-in token, shown here or before, allows it to do what it wishes.
  absl::Status Admit(const EnterRequest& wish);
  // The chat server has ended a place.
  void OnEnded(const Membership& membership, Membership::End end);
  // Takes the session out of a room here; the chat server is not told.
  void Forget(const std::string& room);
  // The room keeps a name for this client for its token, not for its address.
  bool KnowsTokens() const { return session_.own_client() || showed_token_; }
  uint32_t WaitMs() const {
    return KnowsTokens() ? 0 : static_cast<uint32_t>(environment_.name_wait.count());
  }
  void SignIn(std::string user, std::string token);
  void SignOut();

  client::ClientSession& session_;
  SessionEnvironment& environment_;
  RateLimit enters_;
  bool signed_in_ = false;  // It has had a place.
  std::string user_;        // Empty before the first enter, and after it has failed.
  std::string token_;       // The session that shows it may take this session's places over.
  bool showed_token_ = false;
  bool replaced_ = false;    // Another session has taken one of its places.
  StringMap<InRoom> rooms_;  // By name.
  std::shared_ptr<SendLoad> load_ = std::make_shared<SendLoad>();
  std::optional<WaitingRequest> waiting_;
};

}  // namespace hubbub::connector
