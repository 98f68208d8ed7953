#include "connector/sessions/requests.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/base/entropy.h"
#include "services/base/limits.h"
#include "services/client/fields.h"

namespace hubbub::connector {

absl::StatusOr<EnterRequest> ReadEnter(const boost::json::object& body) {
  EnterRequest request;
  auto user = client::TextField(body, "username");
  if (!user.ok()) return user.status();
  auto room = client::TextField(body, "rid");
  if (!room.ok()) return room.status();
  for (const absl::Status& status : {CheckName("username", *user), CheckName("rid", *room)}) {
    if (!status.ok()) return status;
  }
  request.user = *std::move(user);
  request.room = *std::move(room);
  if (const boost::json::value* shown = body.if_contains("token"); shown != nullptr && shown->is_string())
    request.sign_in = std::string(shown->get_string());
  // A longer text is none of our tokens; if it were cut, it might end in the middle of a character.
  if (const boost::json::value* shown = body.if_contains("resume");
      shown != nullptr && shown->is_string() && shown->get_string().size() <= kTokenBytes)
    request.resume = std::string(shown->get_string());
  request.attempt = client::WholeNumberField(body, "attempt").value_or(0);
  const auto epoch = client::WholeNumberField(body, "epoch");
  const auto offset = client::WholeNumberField(body, "offset");
  if (epoch && offset) {
    request.epoch = *epoch;
    request.offset = *offset;
  }
  return request;
}

absl::StatusOr<std::vector<EnterRequest>> ReadRecover(const boost::json::object& body) {
  const boost::json::value* rooms = body.if_contains("rooms");
  if (rooms == nullptr || !rooms->is_array() || rooms->get_array().empty() ||
      rooms->get_array().size() > kMostRecoveredRooms)
    return absl::InvalidArgumentError(
        fmt::format("rooms must be an array of 1 to {} objects", kMostRecoveredRooms));
  std::vector<EnterRequest> enters;
  for (const boost::json::value& room : rooms->get_array()) {
    if (!room.is_object()) return absl::InvalidArgumentError("rooms must be an array of objects");
    boost::json::object enter = room.get_object();
    for (const char* field : {"username", "resume", "attempt", "token"}) {
      enter.erase(field);
      if (const boost::json::value* shared = body.if_contains(field)) enter[field] = *shared;
    }
    auto request = ReadEnter(enter);
    if (!request.ok()) return request.status();
    if (!LooksLikeAToken(request->resume))
      return absl::InvalidArgumentError("resume must be the token that the answer to enter had");
    if (request->epoch == 0)
      return absl::InvalidArgumentError(
          fmt::format("room '{}' needs the epoch and the offset that you have seen last", request->room));
    const auto same = [&](const EnterRequest& other) { return other.room == request->room; };
    if (std::any_of(enters.begin(), enters.end(), same))
      return absl::InvalidArgumentError(fmt::format("room '{}' is named twice", request->room));
    enters.push_back(*std::move(request));
  }
  return enters;
}

absl::StatusOr<std::string> ReadRefresh(const boost::json::object& body) {
  // A number is no token, so this is not TextField.
  const boost::json::value* token = body.if_contains("token");
  if (token == nullptr || !token->is_string() || token->get_string().empty())
    return absl::InvalidArgumentError("token is missing: it must be the new sign-in token, a text");
  return std::string(token->get_string());
}

absl::StatusOr<chat::v1::SendRequest> ReadSend(const boost::json::object& body) {
  chat::v1::SendRequest request;
  auto room = client::TextField(body, "rid");
  if (!room.ok()) return room.status();
  auto content = client::TextField(body, "content");
  if (!content.ok()) return content.status();
  auto target = client::TextField(body, "target");
  if (!target.ok()) return target.status();
  if (*target != "*") {
    if (absl::Status status = CheckName("target", *target); !status.ok()) return status;
  }
  // A longer one would only take up memory here and on the way.
  if (content->size() > kMaxContentBytes) return CheckContent(*content);
  if (client::HasField(body, "id")) {
    auto id = client::TextField(body, "id");
    absl::Status status = id.status();
    if (status.ok()) status = CheckName("id", *id);
    if (!status.ok()) return status;
    request.set_id(*std::move(id));
  }
  request.set_room(*std::move(room));
  request.set_target(*std::move(target));
  request.set_content(*std::move(content));
  return request;
}

absl::StatusOr<chat::v1::ListEventsRequest> ReadHistory(const boost::json::object& body) {
  constexpr uint64_t kMost = 100;
  chat::v1::ListEventsRequest request;
  auto room = client::TextField(body, "rid");
  if (!room.ok()) return room.status();
  for (const char* field : {"before", "limit"}) {
    if (!client::HasField(body, field) || client::WholeNumberField(body, field)) continue;
    return absl::InvalidArgumentError(fmt::format("{} must be a whole number, 0 or more", field));
  }
  request.set_room(*std::move(room));
  request.set_before(client::WholeNumberField(body, "before").value_or(0));
  // 0: as many as the chat server thinks fit.
  request.set_page_size(
      static_cast<int>(std::min(client::WholeNumberField(body, "limit").value_or(0), kMost)));
  return request;
}

std::string NewToken() {
  constexpr Entropy kEntropy;
  return fmt::format("{:016x}{:016x}", kEntropy(), kEntropy());
}

bool LooksLikeAToken(std::string_view text) {
  return text.size() == kTokenBytes && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace hubbub::connector
