#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/event.h"
#include "chat/kept_names.h"
#include "chat/lease_index.h"
#include "chat/recent_events.h"
#include "chat/recent_ids.h"
#include "chat/room_state.h"
#include "chat/subscriber.h"
#include "chat/tokens.h"
#include "services/clock.h"
#include "services/string_map.h"

namespace hubbub::chat {

// What happens when a user comes into a room by a second session without the token of the first.
enum class DuplicateUser {
  kRefuse,   // ALREADY_EXISTS.
  kReplace,  // The newest session has the place; the old one is told so by a kReplaced event.
  kAllow,    // Both stay. The user has come with the first and has left with the last.
};

// A session's place in a room.
struct Place {
  SubscriberPtr subscriber;
  uint64_t session = 0;
  std::string token;     // Whoever shows it takes the place over. Empty: nobody can.
  uint64_t address = 0;  // A hash of where its client is; 0: nobody knows.
  // A client that knows no tokens: so long, in milliseconds, its name is kept for it once it is cut off, or
  // its connector is. 0: the grace, for the token's holder alone.
  int64_t wait_ms = 0;
};

// A place ends because its client was cut off, and may be about to come back: the name is kept as
// Place::wait_ms says.
struct KeepName {
  int64_t wait_ms = 0;
};

// Names a place without holding it.
struct PlaceId {
  uint64_t lease = 0;
  uint64_t session = 0;
};

struct AddResult {
  // In the order in which they came, the new one included; the first ones alone if they are very many.
  std::vector<std::string> users;
  size_t total = 0;  // How many users there are.
  uint64_t epoch = 0;
  uint64_t offset = 0;  // Every event with a greater one comes after this answer.
  bool resumed = false;
  // What the user has missed since the point that Add was given; nothing if none was given or it can not be
  // had.
  std::optional<std::vector<EventPtr>> missed;
};

// The newest event that a client has seen.
struct SeenPoint {
  uint64_t epoch = 0;
  uint64_t offset = 0;
};

struct SendResult {
  uint64_t offset = 0;
  uint64_t epoch = 0;
  int64_t time_ms = 0;
  size_t recipients = 0;  // Users.
  bool repeated = false;  // This is the answer to an earlier send of the same id.
};

struct MemberInfo {
  std::string user;
  std::string connector;
  uint64_t session = 0;
};

struct RoomInfo {
  uint64_t epoch = 0;
  uint64_t offset = 0;
  std::vector<MemberInfo> members;  // One for each place; the first ones alone if they are very many.
  size_t total = 0;                 // How many places there are.
};

// One room: who is there, the order of what happens, and who must be told. Not thread-safe: its shard's lock
// guards it. An event goes once to each subscriber that has places here, however many. A Send costs
// O(subscribers). Names and contents have been checked by the caller. `now_ms` is SteadyNowMs, by which ages
// are judged; the time that people are shown is of Limits::shown_ms, and never goes back within a room.
class Room {
 public:
  struct Limits {
    size_t max_places = 100'000;
    // So many bytes of names go into an answer to Add, and so many places into one to GetRoom: a gRPC message
    // holds 4 MiB.
    size_t max_answer_bytes = size_t{64} << 10;
    size_t max_answer_places = 10'000;
    int64_t grace_ms = 5'000;  // No name is kept any longer.
    RecentEvents::Limits recent;
    RecentIds::Limits ids;
    // The clock of the times that people are shown. Called from several threads at once.
    std::function<int64_t()> shown_ms = SystemNowMs;
  };

  // `limits` and `index` outlive the room; `index` is the one of the room's shard.
  Room(std::string name, uint64_t epoch, const Limits& limits, LeaseIndex& index)
      : name_(std::move(name)),
        epoch_(epoch),
        limits_(limits),
        index_(index),
        recent_(limits.recent),
        ids_(limits.ids) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  // ALREADY_EXISTS by `policy`; RESOURCE_EXHAUSTED if the room is full. If `resume_token`, or the token of
  // `place` itself, is that of one of the user's places, this takes that place over under every policy: so
  // whoever got no answer may ask again. A place whose connector is away is taken over, if its client knows
  // no tokens, from the same address at once and by anybody later; and a name that is kept is refused, with
  // kRefuse, to all but those it is kept for. `seen`: asks for what the user has missed since; messages for
  // the user alone only if a token is shown that a place of the user had then.
  absl::StatusOr<AddResult> Add(std::string_view user, Place place, std::string_view resume_token,
                                DuplicateUser policy, int64_t now_ms, std::optional<SeenPoint> seen = {});

  // Gives the places of `claim` back. Their own tokens take them over; a user who is not here any more comes
  // again; a place that somebody else has by now is `replaced`. Nobody is told of who comes back from an
  // earlier life, unless there are newcomers: the others were never told of a leave.
  RestoreResult Restore(const RoomClaim& claim, DuplicateUser policy, int64_t now_ms);
  // The room has shown people this time already, in an earlier life or at another chat server.
  void ShowNoTimeBefore(int64_t time_ms) { shown_ms_ = std::max(shown_ms_, time_ms); }
  // This life goes on from these. Their sends are not said again.
  void GoOnFrom(const EarlierLives& earlier, int64_t now_ms);

  // All that this room is, to be adopted by another, which is new.
  RoomState State(int64_t now_ms) const;
  // Whose places they are, in the order of State's.
  std::vector<SubscriberPtr> Subscribers() const;
  // `subscribers` has one for each place.
  void Adopt(const RoomState& state, const std::vector<SubscriberPtr>& subscribers, int64_t now_ms);
  // While it moves, no end of a lease may change it: the index does not name it. Settle ends that, and ends
  // places whose lease has ended meanwhile.
  void Unsettle();
  void Settle(int64_t now_ms);
  // Tells all connectors here that the room is at `server` from now on.
  void PushMoved(const std::string& server);

  // Ends all places of the user; those who held them are told too. The Left event's offset. NOT_FOUND.
  absl::StatusOr<uint64_t> Kick(std::string_view user, int64_t now_ms);

  // Ends one place. The Left event's offset; 0 if the place was not there or the user has others.
  uint64_t KickPlace(std::string_view user, PlaceId place, int64_t now_ms, std::optional<KeepName> keep = {});

  // `target` is a user or kEverybody. NOT_FOUND if the target is not here. An `id` that was seen from this
  // user is answered as it was then, and nothing is sent; an empty one is none. PERMISSION_DENIED if `sender`
  // names a place that the user does not have any more; without a lease it names none, and none is needed.
  absl::StatusOr<SendResult> Send(std::string_view from, std::string_view target, std::string_view content,
                                  int64_t now_ms, std::string_view id = {}, PlaceId sender = {});

  // Ends at most `max_places` places of the lease, those who came first before the others. Returns how many.
  size_t Drop(uint64_t lease, size_t max_places, int64_t now_ms);

  RoomInfo Info() const;

  const std::string& name() const { return name_; }
  uint64_t epoch() const { return epoch_; }
  size_t users() const { return members_.size(); }
  size_t places() const { return places_; }
  uint64_t offset() const { return offset_; }
  // True if nothing is kept that somebody may ask for later.
  bool forgotten() const { return recent_.empty() && ids_.size() == 0 && earlier_.empty() && kept_.empty(); }
  const RecentEvents& recent() const { return recent_; }
  // Memory of what is kept of the past.
  size_t kept_bytes() const { return recent_.bytes() + ids_.bytes() + earlier_bytes_; }
  // Forgets what is too old.
  void Expire(int64_t now_ms);
  // Keeps the newest of what is kept of the past.
  void DropOldest(size_t keep) {
    recent_.DropOldest(keep);
    ids_.DropOldest(keep);
    ForgetEarlier();
  }

 private:
  struct Member {
    std::string user;
    std::vector<Place> places;  // Never empty.
  };
  using Members = std::list<Member>;
  struct Listener {
    SubscriberPtr subscriber;
    size_t places;
  };

  void Remember(const RecentIds::Entry& send) { ids_.Insert(send.from, send.id, send.sent); }
  void ForgetEarlier() {
    earlier_.clear();
    earlier_bytes_ = 0;
  }
  void Retain(const SubscriberPtr& subscriber);
  void Release(const Subscriber& subscriber);
  // Gives `old` to `place` and tells the one who had it.
  void TakeOver(const std::string& user, Place& old, Place place);
  void Erase(Members::iterator member);
  // The time that people are shown for what happens now.
  int64_t ShowTime() {
    ShowNoTimeBefore(limits_.shown_ms());
    return shown_ms_;
  }
  // The next event of the room, recorded but not yet pushed.
  EventPtr Record(Event::Kind kind, std::string_view user, int64_t now_ms, std::string_view target = {},
                  std::string_view content = {}, std::string_view id = {},
                  std::vector<uint64_t> for_tokens = {});
  void PushToAll(const EventPtr& event) const;
  // What has happened since; nothing if it can not be had.
  std::optional<std::vector<EventPtr>> Since(SeenPoint seen) const;
  // The same of an earlier life: what is known of it, and all of the present one.
  std::optional<std::vector<EventPtr>> SinceEarlier(const std::map<uint64_t, EventPtr>& life,
                                                    uint64_t offset) const;
  // What this user would have been told since; nothing if it can not be had.
  std::optional<std::vector<EventPtr>> MissedBy(std::string_view user, SeenPoint seen,
                                                const ShownTokens& tokens) const;
  // So long is a name kept after `wait_ms` of Place.
  int64_t KeptFor(int64_t wait_ms) const;
  // The user's place, if nobody listens there any more, and the newcomer shows none of its tokens.
  Place* LeftBehind(std::string_view user, const Place& newcomer, const ShownTokens& tokens);
  // So long the newcomer has to wait for it, in milliseconds; 0: it may take it over now.
  int64_t WaitFor(const Place& left, const Place& newcomer) const;
  absl::Status NameIsKept(std::string_view user, int64_t wait_ms) const;
  bool Has(std::string_view user, PlaceId place) const;
  std::vector<std::string> FirstUsers() const;
  AddResult Answer(bool resumed) const;
  // True if it took a place over.
  absl::StatusOr<bool> AddPlace(std::string_view user, Place place, std::string_view resume_token,
                                DuplicateUser policy, int64_t now_ms, bool silent);
  absl::StatusOr<SendResult> SendNew(std::string_view from, std::string_view target, std::string_view content,
                                     int64_t now_ms, std::string_view id);

  const std::string name_;
  const uint64_t epoch_;
  const Limits& limits_;
  LeaseIndex& index_;

  Members members_;  // In the order in which they came.
  // The keys are the names inside members_, which do not move.
  absl::flat_hash_map<std::string_view, Members::iterator, StringHash, std::equal_to<>> by_user_;
  std::vector<Listener> listeners_;  // As few as there are connectors: searched one by one.
  size_t places_ = 0;
  bool settled_ = true;
  uint64_t offset_ = 0;
  int64_t shown_ms_ = 0;  // The latest time that people were shown.
  RecentEvents recent_;
  RecentIds ids_;
  KeptNames kept_;
  EarlierLives earlier_;
  size_t earlier_bytes_ = 0;
  int64_t earlier_ms_ = 0;  // When the last of them became known.
  bool newcomers_ = false;
};

}  // namespace hubbub::chat
