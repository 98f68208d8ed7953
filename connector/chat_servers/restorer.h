#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "connector/chat_servers/chat_servers.h"
#include "connector/chat_servers/loss_job.h"
#include "connector/chat_servers/restore_calls.h"
#include "connector/delivery/encoder.h"
#include "connector/delivery/local_rooms.h"
#include "connector/delivery/membership.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/base/string_map.h"

namespace hubbub::connector {

// Gives the places of one loop's sessions back to their rooms, many in a call, when a chat server is lost,
// has forgotten them, or has given rooms to another. ARCHITECTURE.md, "A failover", says how. Loop-only. One
// for each loop, owned by Connector.
class Restorer {
 public:
  // All outlive this object.
  Restorer(const LoopPart& part, LocalRooms& rooms, const Encoder& encoder, ChatServers& servers);

  // A chat server was reached, or was lost: see ChatLink::Listener.
  void OnUp(const std::string& server, uint64_t incarnation, bool fresh);
  void OnLost(const std::string& server);
  // A place was given under this membership's lease. Restores the place if that lease has ended by now.
  void CheckLease(Membership& membership);

 private:
  // True if this run of the server is lost, as far as that is known.
  bool Gone(const std::string& server, uint64_t incarnation) const;
  LossJob& JobOf(const Loss& loss);
  // The membership's server does not have the place any more, or cannot be reached.
  void Begin(Membership& membership);
  void BeginAllAt(const std::string& server);
  // Rooms that were given to a server are lost with it.
  void TakeMovedRooms(LossJob& job, const std::string& server);
  void RememberLoss(const Loss& loss);
  // Calls Run, after other events that are here already, or after a pause, which grows; a call without a
  // pause cuts one short.
  void RunSoon(const Loss& loss, bool pause = false);
  // Makes the calls that are due.
  void Run(const Loss& loss);
  // Runs again for what is left; the job ends with the last of it.
  void GoOn(const Loss& loss, bool pause);
  // `calls`: how many tell the same server of the same loss.
  void Send(RestoreCall call, uint32_t calls);
  void OnAnswer(const RestoreCall& call, const absl::Status& status,
                const chat::v1::RestoreResponse& response);
  void Settle(const RestoreCall& call, const RoomToRestore& room, const chat::v1::RestoredRoom& restored);
  // `unshown`: the comings of users who are in the room and were never told to clients here.
  void SettleOne(const RestoreCall& call, Membership& membership, bool replaced,
                 const chat::v1::RestoredRoom& restored, const Deliveries& missed, const Deliveries& unshown);
  // A chat server that is lost may have told nobody, or some connectors alone, who has come last.
  Deliveries TakeUnshown(const std::string& room, const chat::v1::RestoredRoom& restored);

  const LoopPart part_;
  LocalRooms& rooms_;
  const Encoder& encoder_;
  ChatServers& servers_;
  std::map<Loss, LossJob> jobs_;      // A map: jobs do not move.
  uint64_t runs_ = 0;                 // Numbers them.
  StringSet lost_;                    // The servers that are lost now.
  StringMap<uint64_t> incarnations_;  // Of each server that was ever reached, the last that it was.
  // The newest losses: a chat server that comes may just be about to recover from them.
  std::deque<Loss> losses_;
};

}  // namespace hubbub::connector
