#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "chat/room_state.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::chat {

// What a connector, or a part of it, tells after it has lost a chat server.
struct LossReport {
  std::string connector;
  uint32_t part = 0;
  uint32_t parts = 1;
  uint32_t calls = 0;  // In how many calls the part tells; 0: more than have come.
  std::vector<std::pair<std::string, RoomClaim>> rooms;
};

// One for each room of the report, in its order.
using RestoreResults = std::vector<absl::StatusOr<RestoreResult>>;

// The rooms of chat servers that were lost, while their connectors tell what they held there. Nobody is
// answered before all have told, or the time for it is over: so a room begins its new life with all its
// members, and no message comes between. Knows nothing of gRPC. Thread-safe; calls nobody with its lock held.
class Recovery {
 public:
  using Done = std::function<void(RestoreResults)>;
  // Gives a room a new life from all that was told of it: RoomTable::Recover.
  using Recover = std::function<absl::StatusOr<std::vector<RestoreResult>>(std::string_view room,
                                                                           std::vector<RoomClaim>)>;
  // True if these connectors are all that there is to hear of the loss, and rooms can be made anew.
  using AllTold = std::function<bool(const std::string& lost, const StringSet& told)>;

  Recovery(int64_t limit_ms, Recover recover) : limit_ms_(limit_ms), recover_(std::move(recover)) {}

  // A chat server was lost at `now_ms` of any clock that does not jump. `incarnation`: the run that was lost;
  // 0: any.
  void Begin(const std::string& lost, uint64_t incarnation, int64_t now_ms);
  // It is back, and gets its rooms back: whoever waits is told to ask again.
  void Cancel(const std::string& lost);
  // Takes a report, to be answered later, on another thread; false if no loss of this run of this server is
  // being recovered from.
  bool Stage(const std::string& lost, uint64_t incarnation, LossReport report, Done done);
  // Ends what is complete or has lasted too long. By one thread alone.
  void Tick(int64_t now_ms, const AllTold& all_told);
  // The servers whose loss is being recovered from.
  std::vector<std::string> Lost() const;

 private:
  struct Staged {
    LossReport report;
    Done done;
  };
  struct Loss {
    uint64_t incarnation = 0;
    int64_t began_ms = 0;
    // Of each connector, how many calls of each part have come, and which parts are complete.
    struct Told {
      std::map<uint32_t, uint32_t> calls;
      std::set<uint32_t> parts;
    };
    StringMap<Told> connectors;
    StringSet told;
    std::vector<Staged> staged;
  };

  void Finish(const std::string& lost, int64_t now_ms);
  // How many rooms it was about.
  size_t Answer(std::vector<Staged> staged);

  const int64_t limit_ms_;
  const Recover recover_;
  mutable Mutex mu_;
  StringMap<Loss> losses_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
