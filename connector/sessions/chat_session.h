#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "connector/chat_servers/chat_servers.h"
#include "connector/chat_servers/room_sends.h"
#include "connector/delivery/membership.h"
#include "connector/sessions/admission.h"
#include "connector/sessions/place_search.h"
#include "connector/sessions/recovery.h"
#include "connector/sessions/requests.h"
#include "connector/sessions/session_environment.h"
#include "connector/sessions/session_rooms.h"
#include "connector/sessions/session_user.h"
#include "services/client/client_session.h"

namespace hubbub::connector {

// The connector's side of one client session: its requests, such as enter, leave and send. A session is bound
// to one user by its first enter (SessionUser), and may be in several rooms (SessionRooms). Loop-only. Owned
// by its session.
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
  // Has a place begun. REQUIRES: MayBegin.
  Entry Begin(const EnterRequest& wish);
  // OK if the client may have a place in a further room.
  absl::Status MayBegin(const EnterRequest& wish);
  // Asks for the place and answers the client. `this` is gone once the reply has no session.
  boost::asio::awaitable<void> GoIn(ChatServers& servers, Entry entry, client::Reply reply);
  void OnAdded(const Entry& entry, client::Reply reply, const chat::v1::AddResponse& response);

  // Brings a client back into all the rooms that it names, or into none.
  void Recover(const boost::json::object& body, client::Reply reply);
  // As GoIn.
  boost::asio::awaitable<void> ComeBack(ChatServers& servers, Recovery recovery, client::Reply reply);

  // Shows a newer sign-in token, before the one in use ends.
  void Refresh(const boost::json::object& body, client::Reply reply);
  void Leave(const boost::json::object& body, client::Reply reply);
  void Send(const boost::json::object& body, client::Reply reply);
  void History(const boost::json::object& body, client::Reply reply);

  // The chat server has ended a place.
  void OnEnded(const Membership& membership, Membership::End end);

  client::ClientSession& session_;
  SessionEnvironment& environment_;
  Admission admission_;
  bool signed_in_ = false;  // It has had a place.
  bool replaced_ = false;   // Another session has taken one of its places.
  SessionUser user_;
  SessionRooms rooms_;
  std::shared_ptr<SendLoad> load_ = std::make_shared<SendLoad>();
  std::optional<WaitingRequest> waiting_;
};

}  // namespace hubbub::connector
