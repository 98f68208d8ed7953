#include "connector/sessions/recovery.h"

#include <string>
#include <utility>

#include "connector/delivery/membership.h"
#include "connector/sessions/answers.h"
#include "fmt/format.h"
#include "services/client/contract.h"

namespace hubbub::connector {
namespace {

// Of all rooms together: a client takes them at once.
constexpr size_t kMostMissedBytes = size_t{512} * 1024;

absl::Status CheckMissed(const chat::v1::AddResponse& answer, const std::string& room, size_t& bytes) {
  if (!answer.recovered()) {
    return absl::OutOfRangeError(
        fmt::format("room '{}' does not hold any more what you have missed: enter it again", room));
  }
  for (const chat::v1::Event& event : answer.missed_events()) bytes += event.ByteSizeLong();
  if (bytes <= kMostMissedBytes) return absl::OkStatus();
  return absl::OutOfRangeError("you have missed more than can be shown at once: enter your rooms again");
}

}  // namespace

boost::asio::awaitable<absl::Status> RecoverPlaces(ChatServers& servers, Recovery& recovery,
                                                   const client::Reply& reply) {
  absl::Status status;
  size_t missed_bytes = 0;
  for (Entry& entry : recovery.entries) {
    auto answer = co_await AskForPlace(servers, entry, reply);
    status = answer.status();
    if (!status.ok()) break;
    recovery.answers.push_back(*std::move(answer));
    status = CheckMissed(recovery.answers.back(), entry.membership->room(), missed_bytes);
    if (!status.ok() || reply.session() == nullptr) break;
  }
  if (status.ok() && reply.session() != nullptr) co_return status;
  // What the client asks for next must not meet these places.
  for (size_t i = 0; i < recovery.answers.size(); ++i) {
    Membership& membership = *recovery.entries[i].membership;
    // It is about to enter again, by its token.
    if (reply.session() != nullptr) membership.EndSession(/*keep_name=*/true, membership.wait_ms());
    co_await servers.Kick(membership.at().server, KickRequestFor(membership), recovery.entries[i].request_id);
  }
  co_return status.ok() ? absl::CancelledError("the client is gone") : status;
}

void TakeItsWord(const Recovery& recovery) {
  for (const Entry& entry : recovery.entries) entry.membership->SawUpTo(WordOf(entry));
}

void ShowMissed(SessionEnvironment& environment, client::ClientSession& session, const Recovery& recovery) {
  for (size_t i = 0; i < recovery.entries.size(); ++i) {
    Membership& membership = *recovery.entries[i].membership;
    const chat::v1::AddResponse& answer = recovery.answers[i];
    if (membership.left()) {
      // What waited in another room has ended the session.
      environment.servers.TakeBack(membership.at().server, KickRequestFor(membership));
      continue;
    }
    boost::json::object members = UserList(answer.users(), answer.total());
    members["rid"] = membership.room();
    session.Push(client::route::kOnMembers, members);
    membership.set_attempt(answer.attempt());
    environment.rooms.ShowUsers(membership.room(), answer.users(), answer.total());
    environment.rooms.Restored(membership, environment.encoder.Encode(answer.missed_events()),
                               PointOf(answer));
    // As after an enter.
    if (membership.joined()) environment.restorer.CheckLease(membership);
  }
}

RoomPoint PointOf(const chat::v1::AddResponse& answer) {
  return {
      .epoch = answer.epoch(), .offset = answer.offset(), .life = answer.life(), .change = answer.change()};
}

RoomPoint WordOf(const Entry& entry) {
  return {.epoch = entry.request.epoch(), .offset = entry.request.offset()};
}

}  // namespace hubbub::connector
