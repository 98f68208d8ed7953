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
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "chat/connectors/loss_report.h"
#include "chat/rooms/room_state.h"
#include "services/base/mutex.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// Restores the rooms of lost chat servers from the reports of their connectors. No connector gets an answer
// before all connectors have reported or the time limit is over, so that a room begins its new life with all
// its members, and no message comes before. Knows nothing of gRPC. Thread-safe; calls nobody with its lock
// held.
class Recovery {
 public:
  // Gives a room a new life from all that was told of it: RoomTable::Recover.
  using Recover = absl::FunctionRef<absl::StatusOr<std::vector<RestoreResult>>(std::string_view room,
                                                                               std::vector<RoomClaim>)>;
  // True if no other connector is expected to report the loss, and rooms can be made.
  using AllTold = absl::FunctionRef<bool(const std::string& lost, const StringSet& told)>;

  explicit Recovery(int64_t limit_ms) : limit_ms_(limit_ms) {}

  // A chat server was lost at `now_ms` of any clock that does not jump. `incarnation`: the run that was lost;
  // 0: any.
  void Begin(const std::string& lost, uint64_t incarnation, int64_t now_ms);
  // The server is back with its rooms: the connectors that wait are told to ask it.
  void Cancel(const std::string& lost);
  // Takes a report, to be answered later, on another thread; false if no loss of this run of this server is
  // being recovered from.
  bool Stage(const std::string& lost, uint64_t incarnation, LossReport report, RestoreDone done);
  // Ends what is complete or has lasted too long: makes its rooms by `recover`. For one thread.
  void Tick(int64_t now_ms, AllTold all_told, Recover recover);
  // The rooms of this server that connectors have reported, some of them perhaps several times.
  std::vector<std::string> Rooms(const std::string& lost) const;
  // The servers whose loss is being recovered from.
  std::vector<std::string> Lost() const;

 private:
  struct Staged {
    LossReport report;
    RestoreDone done;
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

  void Finish(const std::string& lost, int64_t now_ms, Recover recover);
  // Returns how many rooms it was about.
  static size_t Answer(std::vector<Staged> staged, Recover recover);

  const int64_t limit_ms_;
  mutable Mutex mu_;
  StringMap<Loss> losses_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
