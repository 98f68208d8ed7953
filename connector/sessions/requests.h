#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "hubbub/chat/v1/chat.pb.h"
#include "hubbub/chat/v1/history.pb.h"

namespace hubbub::connector {

// What clients ask of a connector: the bodies of their requests, read and checked. Errors are sentences for
// the client, INVALID_ARGUMENT. Pure functions.

// `{username, rid, token?, resume?, attempt?, epoch?, offset?}`
struct EnterRequest {
  std::string user;
  std::string room;
  std::string sign_in;  // The sign-in token that the client shows, as `token`; empty if it shows none.
  // The token that is to take a place over, as the client shows it: at most kTokenBytes; empty if it shows
  // none.
  std::string resume;
  // Orders the client's own enters: a later one has a greater number. 0 if the client does not say.
  uint64_t attempt = 0;
  // What the client has seen of the room, so that it is told what it missed; epoch 0 if it does not ask.
  uint64_t epoch = 0;
  uint64_t offset = 0;
};
absl::StatusOr<EnterRequest> ReadEnter(const boost::json::object& body);

// `{username, resume, rooms: [{rid, epoch, offset}], token?, attempt?}`: an enter for each room. At most
// kMostRecoveredRooms of them.
inline constexpr size_t kMostRecoveredRooms = 16;
absl::StatusOr<std::vector<EnterRequest>> ReadRecover(const boost::json::object& body);

// `{token}`: the sign-in token.
absl::StatusOr<std::string> ReadRefresh(const boost::json::object& body);

// `{rid, content, target, id?}`, without the sender. The content is checked for its size alone: the chat
// server that has the room checks the rest (CheckContent).
absl::StatusOr<chat::v1::SendRequest> ReadSend(const boost::json::object& body);

// `{rid, before?, limit?}`: at most 100 messages. Whose private ones may be among them is not said here.
absl::StatusOr<chat::v1::ListEventsRequest> ReadHistory(const boost::json::object& body);

// Tokens by which a client takes its places over: 128 bits that nobody can guess, in hexadecimal digits.
inline constexpr size_t kTokenBytes = 32;
std::string NewToken();
// True for a text that NewToken could have made.
bool LooksLikeAToken(std::string_view text);

}  // namespace hubbub::connector
