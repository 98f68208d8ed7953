#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/rooms/awaited_users.h"
#include "chat/rooms/event.h"
#include "chat/rooms/kept_names.h"
#include "chat/rooms/lease_index.h"
#include "chat/rooms/place.h"
#include "chat/rooms/room_events.h"
#include "chat/rooms/room_limits.h"
#include "chat/rooms/room_members.h"
#include "chat/rooms/room_messages.h"
#include "chat/rooms/room_past.h"
#include "chat/rooms/room_state.h"
#include "chat/rooms/send_waiter.h"
#include "chat/rooms/subscriber.h"
#include "chat/rooms/tokens.h"

namespace hubbub::chat {

// What happens when a user comes into a room by a second session without the token of the first.
enum class DuplicateUser {
  kRefuse,   // ALREADY_EXISTS.
  kReplace,  // The newest session has the place; the old one is told so by a kReplaced event.
  kAllow,    // Both stay. The user has come with the first and has left with the last.
};

// A place ends because its client was cut off, and may be about to come back: the name is kept as
// Place::wait_ms says.
struct KeepName {
  int64_t wait_ms = 0;
};

struct AddResult {
  // In the order in which they came, the new one included; the first ones alone if they are very many.
  std::vector<std::string> users;
  size_t total = 0;  // How many users there are.
  uint64_t epoch = 0;
  uint64_t offset = 0;  // Every event with a greater one comes after this answer.
  uint64_t life = 0;    // With a log: of the members,
  uint64_t change = 0;  // and of their newest coming or going.
  bool resumed = false;
  uint64_t attempt = 0;  // Of the place now.
  // What the user has missed since the point that Add was given; nothing if none was given or the events are
  // not kept any more.
  std::optional<std::vector<EventPtr>> missed;
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

// One room: who is there (RoomMembers), the order of what happens (RoomEvents) and is said (RoomMessages),
// what is kept of it (RoomPast, KeptNames), and whom it is pushed to. Not thread-safe: its shard's lock
// guards it. An event goes once to each subscriber that has places here, however many. A Send costs
// O(subscribers). The caller has checked names and contents. `now_ms` is SteadyNowMs, by which ages are
// judged; the time that people are shown is of Limits::shown_ms, and never goes back within a room.
class Room {
 public:
  using Limits = RoomLimits;

  // `limits` and `index` outlive the room; `index` is the one of the room's shard. `life`: as RoomEvents has
  // it.
  Room(std::string name, uint64_t epoch, const Limits& limits, LeaseIndex& index, uint64_t life = 0)
      : limits_(limits),
        members_(index, this),
        events_(std::move(name), epoch, life, limits),
        messages_(members_, events_, limits) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  // ALREADY_EXISTS by `policy`; RESOURCE_EXHAUSTED if the room is full. If `resume_token`, or the token of
  // `place` itself, is that of one of the user's places, this takes that place over under every policy: so
  // a client that got no answer may ask again; but ALREADY_EXISTS for what was asked for before the place
  // (Place::AskedBefore), and came late. A place whose connector is away is taken over, if its client
  // knows no tokens, from the same address at once and by anybody later; and a name that is kept is refused,
  // with kRefuse, to all but those it is kept for. `seen`: asks for what the user has missed since; messages
  // for the user alone only if a token is shown that a place of the user had then.
  absl::StatusOr<AddResult> Add(std::string_view user, Place place, std::string_view resume_token,
                                DuplicateUser policy, int64_t now_ms, std::optional<SeenPoint> seen = {});

  // Gives the places of `claim` back: RestorePlaces, then MissedSince.
  RestoreResult Restore(const RoomClaim& claim, DuplicateUser policy, int64_t now_ms);
  // Their own tokens take the places over; a user who is not here any more comes again. Returns the indices
  // of places that others have by now. Nobody is told of users who come back from an earlier life, unless
  // there are newcomers: the others were never told that they had left.
  std::vector<uint32_t> RestorePlaces(const RoomClaim& claim, DuplicateUser policy, int64_t now_ms);
  // After a loss, when the places of all claims are restored: awaits the users whom clients were shown. A
  // user who is not back when the grace is over is told to all as having left.
  void AwaitUsers(const RoomClaim& claim, int64_t now_ms);
  // The answer to a claim whose places are restored: who is here now, and what it has missed. No replaced
  // ones.
  RestoreResult MissedSince(const RoomClaim& claim) const;
  // The room has shown people this time already, in an earlier life or at another chat server.
  void ShowNoTimeBefore(int64_t time_ms) { events_.ShowNoTimeBefore(time_ms); }
  // With a log, of a room that is new: its members are elsewhere, and come back without an event.
  void AwaitMembers() { awaits_members_ = true; }
  // From now on the present life continues these. Their sends are not repeated.
  void GoOnFrom(const EarlierLives& earlier, int64_t now_ms) { past().GoOnFrom(earlier, now_ms); }

  // All that this room is, to be adopted by another, which is new.
  RoomState State(int64_t now_ms) const;
  // `subscribers` has one for each place.
  void Adopt(const RoomState& state, const std::vector<SubscriberPtr>& subscribers, int64_t now_ms);
  // While the room moves, no end of a lease may change it: the index does not name it. Settle ends that, and
  // ends places whose lease has ended since.
  void Unsettle() { members_.Unsettle(); }
  void Settle(int64_t now_ms) {
    for (const uint64_t lease : members_.Settle()) Drop(lease, places(), now_ms);
  }
  // Tells all connectors here that the room is at `server` from now on.
  void PushMoved(const std::string& server);

  // Ends all places of the user; those who held them are told too. The Left event's offset, which is 0 with a
  // log. NOT_FOUND.
  absl::StatusOr<uint64_t> Kick(std::string_view user, int64_t now_ms);

  // Ends one place. The Left event's offset; 0 if the place was not there or the user has others.
  uint64_t KickPlace(std::string_view user, PlaceId place, int64_t now_ms, std::optional<KeepName> keep = {});

  // `target` is a user or kEverybody. NOT_FOUND if the target is not here. An `id` that was seen from this
  // user is answered as it was then, and nothing is sent; an empty one is none. PERMISSION_DENIED if `sender`
  // names a place that the user does not have any more; without a lease it names none, and none is needed.
  // `gather`, if not null, collects the subscribers that wait with it. With a log the send is only proposed,
  // once these checks are passed; so is one whose id is that of a proposed one, and shares its outcome. It
  // stays so even if the sender's place ends meanwhile. ABORTED while earlier sends are being refused, or the
  // room is about to move; RESOURCE_EXHAUSTED if too many wait for the log.
  absl::StatusOr<SendResult> Send(std::string_view from, std::string_view target, std::string_view content,
                                  int64_t now_ms, std::string_view id = {}, PlaceId sender = {},
                                  Gather* gather = nullptr, SendTicket* ticket = nullptr) {
    return messages_.Send(from, target, content, now_ms, id, sender, gather, ticket);
  }
  // What is proposed, for the writer of the log.
  RoomMessages& messages() { return messages_; }

  // Ends at most `max_places` places of the lease, those who came first before the others. Returns how many.
  size_t Drop(uint64_t lease, size_t max_places, int64_t now_ms);

  RoomInfo Info() const;

  const std::string& name() const { return events_.room(); }
  uint64_t epoch() const { return events_.epoch(); }
  size_t users() const { return members_.users(); }
  size_t places() const { return members_.places(); }
  uint64_t offset() const { return events_.offset(); }
  uint64_t life() const { return events_.life(); }
  uint64_t change() const { return events_.change(); }
  // Rises by one with each event that the room has.
  uint64_t happened() const { return events_.offset() + events_.change(); }
  // True if nobody is here, and nothing is kept that somebody may ask for later.
  bool forgotten() const { return users() == 0 && past().silent() && kept_.empty() && messages_.idle(); }
  // True if Expire has something to look at.
  bool expires() const { return !past().empty() || !kept_.empty() || !messages_.idle() || !awaited_.empty(); }
  const RecentEvents& recent() const { return past().recent(); }
  // Memory of what is kept of the past.
  size_t kept_bytes() const { return past().bytes(); }
  // Forgets what is too old, and tells of users who have not come back in time.
  void Expire(int64_t now_ms);
  void ForgetEvents(uint64_t offset) { past().ForgetEvents(offset); }
  // Forgets the oldest of what is kept of the past, until the rest takes no more memory than this.
  void ShrinkTo(size_t max_bytes) { past().ShrinkTo(max_bytes); }

 private:
  // A place that was given, and whether it was taken over from another session, or held by this one already.
  struct Given {
    bool resumed = false;
    uint64_t attempt = 0;
  };

  // Gives `old` to `place` and tells the session that had it.
  Given TakeOver(std::string_view user, Place& old, Place place);
  RoomPast& past() { return events_.past(); }
  const RoomPast& past() const { return events_.past(); }
  // The user's place, if nobody listens there any more, and the newcomer shows none of its tokens.
  Place* LeftBehind(std::string_view user, const Place& newcomer, const ShownTokens& tokens);
  absl::Status NameIsKept(std::string_view user, int64_t wait_ms) const;
  // `restored`: the others were never told that the user had left.
  absl::StatusOr<Given> AddPlace(std::string_view user, Place place, std::string_view resume_token,
                                 DuplicateUser policy, int64_t now_ms, bool restored);

  const Limits& limits_;
  RoomMembers members_;
  RoomEvents events_;
  RoomMessages messages_;
  KeptNames kept_;
  AwaitedUsers awaited_;
  bool newcomers_ = false;  // Users have come in this life who do not know the earlier ones.
  bool awaits_members_ = false;
};

}  // namespace hubbub::chat
