#pragma once

#include <string>
#include <vector>

#include "connector/chat_servers/chat_servers.h"
#include "connector/chat_servers/restore_calls.h"
#include "services/base/string_map.h"

namespace hubbub::connector {

// What one loss leaves to do: the rooms whose places are to be restored, who may have them, and the chat
// servers that are to be told. Knows no calls: the Restorer makes them and brings back what they did not do.
// Loop-only. Owned by the Restorer.
class LossJob {
 public:
  explicit LossJob(Loss loss) : loss_(std::move(loss)) {}

  // A membership whose place is to be restored. `owner`: the chat server that has its room; empty if it is
  // not known.
  void Add(Membership& membership, const std::string& owner);
  // Takes over the rooms that were given to `server`, as far as no call is under way for them.
  void TakeRoomsOf(const std::string& server, LossJob& from);
  // This server may wait for what this connector held.
  void Tell(const std::string& server, int refusals = 0) { to_tell_.emplace(server, refusals); }
  // The lost server is back, with all that it held: it gets its rooms back, and no other one need be told.
  void Resume();
  bool resumed() const { return resumed_; }
  // The server is lost, perhaps once more.
  void Lose() { resumed_ = false; }
  // What was told of owners holds no more.
  void ForgetOwners() { owners_.clear(); }
  void ForgetOwner(const std::string& room) { owners_.erase(room); }
  void SetOwner(const std::string& room, const std::string& owner) { owners_[room] = owner; }

  // The calls that are to be made now. What has to wait stays in the job.
  std::vector<std::vector<RestoreCall>> TakeCalls(const ChatServers& servers, const LocalRooms& local_rooms);
  // A call has not restored these places.
  void PutBack(RoomToRestore room);
  // True if no room is to be restored, and nobody is to be told.
  bool empty() const { return rooms_.empty() && to_tell_.empty(); }

  // What the Restorer keeps of the job's progress.
  int calls = 0;         // Under way.
  uint64_t run = 0;      // Names the run that is due; 0 if none is.
  bool pausing = false;  // That run comes after a pause.
  int tries = 0;         // Pauses since something has come of it.
  int hops = 0;          // Answers that named another server, since the last pause.
  bool refused = false;  // So it was logged.

 private:
  // The server that is asked for a room; empty if the room has to wait.
  std::string TargetOf(const std::string& room, const ChatServers& servers) const;

  const Loss loss_;
  StringMap<std::vector<PlaceToRestore>> rooms_;
  StringMap<std::string> owners_;  // Of rooms, as far as that was told.
  StringMap<int> to_tell_;         // How often each has said that it knows nothing of the loss.
  bool resumed_ = false;
};

}  // namespace hubbub::connector
