#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "connector/encoder.h"
#include "connector/local_rooms.h"
#include "connector/membership.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/string_map.h"

namespace hubbub::connector {

// The chat servers as a Restorer needs them.
class ChatServers {
 public:
  using Done = std::function<void(const absl::Status&, const chat::v1::RestoreResponse&)>;

  virtual ~ChatServers() = default;
  // This connector's lease there; 0 while it can not be reached.
  virtual uint64_t LeaseAt(const std::string& server) const = 0;
  // The run of it that was reached last; 0 if it never was.
  virtual uint64_t IncarnationOf(const std::string& server) const = 0;
  // The one that a room should be at, of those that can be reached; empty if there are none.
  virtual std::string BestFor(const std::string& room) const = 0;
  // All that can be reached.
  virtual std::vector<std::string> Up() const = 0;
  // ChatService.Restore at this server; `done` runs on the loop, and not before this has returned.
  virtual void Restore(const std::string& server, chat::v1::RestoreRequest request, Done done) = 0;
  // Takes a place back.
  virtual void Kick(const std::string& server, const chat::v1::KickRequest& place) = 0;
  // Runs `then` on the loop, after a pause (RetryPause), as before the try after so many.
  virtual void Later(int tries, std::function<void()> then) = 0;
};

// A place that is to be restored.
struct RestoreEntry {
  Membership* membership =
      nullptr;  // Null once its session has left: then the place is taken back at its end.
  std::string room;
  std::string user;
  std::string token;
  uint64_t session = 0;
  uint64_t address = 0;
  uint32_t wait_ms = 0;
  bool keep_name = false;
  uint64_t epoch = 0;
  uint64_t offset = 0;
  int tries = 0;
};

// Gives the places of one loop's sessions back to their rooms, many in a call, when a chat server is lost,
// has forgotten them, or has given rooms to another. ARCHITECTURE.md, "Failover", says how. Loop-only. Owned
// by main, one for each loop.
class Restorer {
 public:
  struct Options {
    uint32_t part = 0;   // This loop among those of its connector,
    uint32_t parts = 1;  // and how many there are.
  };

  // All outlive this object.
  Restorer(const Options& options, LocalRooms& rooms, const Encoder& encoder, ChatServers& servers);

  // What ChatLinks say.
  void OnUp(const std::string& server, uint64_t incarnation, bool fresh);
  void OnLost(const std::string& server);
  // A place was given under this membership's lease. Restores it if that is no more by now.
  void CheckLease(Membership& membership);
  // The membership ends while it is restoring.
  void Depart(Membership& membership);

 private:
  using EntryPtr = std::shared_ptr<RestoreEntry>;
  // A run of a chat server that is no more, or can not be reached. Without a name: none; its rooms were given
  // away.
  struct Loss {
    std::string server;
    uint64_t incarnation = 0;
    auto operator<=>(const Loss&) const = default;
  };
  // The restoring that one loss needs.
  struct Job {
    StringMap<std::vector<EntryPtr>> rooms;  // What is to be restored.
    StringMap<std::string> owners;           // Who has a room, as far as it was told.
    // Servers that may wait for what this connector held, even if that was nothing, and how often each has
    // said that it does not.
    StringMap<int> to_tell;
    int calls = 0;         // Under way.
    uint64_t run = 0;      // The Run that is due by itself; 0 if none is,
    bool pausing = false;  // and whether it comes after a pause.
    int tries = 0;         // Pauses since something has come of it.
    int hops = 0;          // Answers that named another server, since the last pause.
    bool refused = false;  // So it was logged.
    bool resumed = false;  // The server is back, with all that it held.
  };
  // What goes into one RoomPlaces.
  struct Group {
    std::string room;
    std::vector<EntryPtr> entries;
  };
  struct Call {
    Loss loss;
    std::string server;
    uint64_t lease = 0;
    uint64_t incarnation = 0;
    int told = 0;  // As in Job::to_tell.
    std::vector<Group> groups;
  };

  // True if this run of the server is lost, as far as it is known.
  bool Gone(const std::string& server, uint64_t incarnation) const;
  // The membership's place at its server is no more, or that can not be reached. The loss, which is to be
  // run.
  Loss Begin(Membership& membership);
  void BeginFor(Membership& membership, const Loss& loss, const std::string& owner = {});
  void BeginAllAt(const std::string& server);
  // Rooms that were given to a server which is lost now, or does not know of this connector any more.
  void Reassign(const Loss& loss);
  void RememberLoss(const Loss& loss);
  // Calls Run, after other events that are here already, or after a pause, which grows; a call without a
  // pause cuts one short.
  void RunSoon(const Loss& loss, bool pause = false);
  // Asks for all that is waiting.
  void Run(const Loss& loss);
  // Asks again for what is still to be had; the job ends with the last of it.
  void GoOn(const Loss& loss, bool pause);
  std::string TargetOf(const Loss& loss, const Job& job, const std::string& room) const;
  // The calls that tell `server` these rooms; at least one.
  std::vector<Call> CallsFor(const Loss& loss, const std::string& server, std::vector<Group> groups) const;
  chat::v1::RestoreRequest RequestOf(const Call& call) const;
  void Send(Call call, uint32_t calls);
  void OnAnswer(const Call& call, const absl::Status& status, const chat::v1::RestoreResponse& response);
  void Requeue(const Loss& loss, const Group& group);
  void Settle(const Call& call, const Group& group, const chat::v1::RestoredRoom& restored);
  void SettleOne(const Call& call, const EntryPtr& entry, bool replaced,
                 const chat::v1::RestoredRoom& restored, const Deliveries& missed);

  const Options options_;
  LocalRooms& rooms_;
  const Encoder& encoder_;
  ChatServers& servers_;
  std::map<Loss, Job> jobs_;          // A map: jobs do not move.
  uint64_t runs_ = 0;                 // Numbers them.
  StringSet lost_;                    // The servers that are lost now.
  StringMap<uint64_t> incarnations_;  // Of each server that was ever reached, the last that it was.
  // The newest losses: a chat server that comes may just be about to recover from them.
  std::deque<Loss> losses_;
};

}  // namespace hubbub::connector
