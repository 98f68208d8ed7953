#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hubbub::chat {

// A run of a chat server, as the store lists it.
struct StoredServer {
  uint64_t incarnation = 0;  // 1 to 2^53 - 1.
  std::string id = {};
  std::string address = {};  // HOST:PORT of its gRPC port.
  std::string history = {};  // "durable" or "memory": one suite, one mode.
  int64_t beat = 0;          // Grows with each Renew.
  bool draining = false;
  bool gone = false;  // Never undone.

  bool operator==(const StoredServer&) const = default;
};

// Rooms are owned by slots: a room's slot is StableHash(room) % StoreMeta::slots.
struct StoredSlot {
  int slot = 0;
  uint64_t owner = 0;      // An incarnation; 0: nobody.
  int64_t generation = 0;  // One more with each claim. 0: it has never been claimed.

  bool operator==(const StoredSlot&) const = default;
};

// A slot as one claim of it.
struct SlotGeneration {
  int slot = 0;
  int64_t generation = 0;

  bool operator==(const SlotGeneration&) const = default;
};

// A slot that its owner has agreed to hand over.
struct SlotOffer {
  int slot = 0;
  uint64_t owner = 0;
  int64_t generation = 0;
};

struct StoreMeta {
  std::string suite;   // The name of the suite that the store belongs to.
  int slots = 0;       // How many there are; fixed when the store is made.
  uint64_t epoch = 0;  // Of all rooms while history is durable; as old as the log. 1 to 2^53 - 1.
  int schema = 0;      // The version of the tables.
  int oldest = 0;      // The oldest version that a program must know to write here.

  bool operator==(const StoreMeta&) const = default;
};

// What the store says about who owns what, read in one moment.
struct StoreView {
  StoreMeta meta;
  std::vector<StoredServer> servers;  // Those that are not gone, and those that are gone and still own slots.
  std::vector<StoredSlot> slots;      // All, in order.
};

// A message as the log keeps it.
struct LoggedEvent {
  std::string room;
  int64_t offset = 0;  // 1, 2, 3 … in the room.
  int64_t generation = 0;
  int64_t time_ms = 0;  // Since 1970, UTC.
  std::string sender;
  std::string target;  // Empty: for everybody.
  std::string id;      // The send's own; may be empty.
  int recipients = 0;
  std::string content;  // Bytes: U+0000 is allowed in it.

  bool operator==(const LoggedEvent&) const = default;
};

struct AppendBatch {
  struct Entry {
    int slot = 0;
    LoggedEvent event;  // Its generation is ignored: it becomes that of its slot.
  };
  std::vector<SlotGeneration> slots;  // Each slot once.
  std::vector<Entry> events;          // Those of a room in the order of their offsets.
};

struct AppendAnswer {
  std::vector<int>
      slots;  // Of the batch, those whose generation still holds. The events of others were passed over.
  std::vector<bool> added;  // For each event: false if its slot was passed over or its row was there already.
};

struct RoomHead {
  std::string room;
  int64_t head = 0;     // The greatest offset that the room ever had; 0: it never had one.
  int64_t trimmed = 0;  // Up to here events are deleted.
  int64_t time_ms = 0;  // Of the newest event; 0 if none is kept.
};

// What DeleteTrimmed has done.
struct Deletion {
  int rows = 0;            // That are gone, or were emptied.
  bool keeps_ids = false;  // Empty rows of the room are there for their ids.

  bool operator==(const Deletion&) const = default;
};

struct HistoryQuery {
  std::string room;
  std::string
      user;  // Sees messages for everybody, for this user, and by this user. Empty: those for everybody.
  bool everything = false;  // For back ends: all messages, with any target.
  int64_t before = 0;       // Messages with smaller offsets, the newest first. 0: from the newest message on.
  int limit = 50;
};

struct HistoryPage {
  std::vector<LoggedEvent>
      events;               // Oldest first. A page may be short or empty though older messages follow.
  int64_t next_before = 0;  // Where to go on; 0: there are no older ones.
};

// A connection to the store: a SQL database that says which chat server owns which slot and keeps what was
// said. chat/store/README.md says which invariants rest on it. Each method is one statement (PostgreSQL) or
// one transaction that waits for nothing but the disk and the lock of the file (SQLite), and blocks until it
// is done. A connection that was lost is opened again by the next call. Used by one thread at a time but for
// Interrupt; a caller that needs more opens more connections.
//
// Errors are sentences that name the store without a password. Their codes:
//
// UNKNOWN: it may have been done, or may yet be done. Repeat the same call until there is another answer.
//
// UNAVAILABLE: nothing happened. The store cannot be reached, its disk is full, or it is read-only.
//
// INTERNAL: nothing happened. The store refuses just this call. If it was a batch, split it.
//
// FAILED_PRECONDITION: nothing happened. This is no store of Hubbub's, or it belongs to another suite or has
// a newer version, or another store has replaced it since this connection was opened.
//
// CANCELLED: Interrupt was called. It may have been done.
class Store {
 public:
  virtual ~Store() = default;

  // Makes the call that runs, and all later ones, return soon. Thread-safe.
  virtual void Interrupt() = 0;
  // For people: the kind of store, the place and the user; never a password.
  virtual const std::string& name() const = 0;
  // How many connections of one process can write at a time. SQLite's wait for one another.
  virtual int writers() const = 0;

  // FAILED_PRECONDITION also if a newer program has raised `oldest` above what this one knows.
  virtual absl::StatusOr<StoreView> Read() = 0;

  // Chat servers. Register makes all other runs with this id gone, and lists this one, in one transaction. Of
  // an incarnation that is listed already it changes nothing, so repeating it is safe. FAILED_PRECONDITION,
  // and nothing is changed, if a server with another id that is not gone has another mode of history. Rows of
  // servers are never removed: a slot whose owner has no row could not be claimed.
  virtual absl::Status Register(const StoredServer& server) = 0;
  // Adds one to the beat. False: this run is gone.
  virtual absl::StatusOr<bool> Renew(uint64_t incarnation) = 0;
  virtual absl::Status SetDraining(uint64_t incarnation, bool draining) = 0;
  // Makes a run gone if its beat still is `beat`. True if it is gone by now, by this call or another, or was
  // never listed.
  virtual absl::StatusOr<bool> MarkGone(uint64_t incarnation, int64_t beat) = 0;
  // The owner's own end: it is gone, and its slots are nobody's.
  virtual absl::Status Leave(uint64_t incarnation) = 0;

  // Slots. Each answers what `owner` has got by this call, in any order, with the new generation, which is
  // greater than the slot's last one and than `greatest_heard`. After UNKNOWN ask again, then Read says what
  // is so. Numbers of slots that the store does not have are passed over. Claim and TakeOver give nothing to
  // an owner that is not listed or is gone.
  //
  // Claim takes those of `slots` that are nobody's, or those of servers that are gone. A slot that another
  // transaction holds is passed over: ask again for it.
  virtual absl::StatusOr<std::vector<SlotGeneration>> Claim(uint64_t owner, const std::vector<int>& slots,
                                                            int64_t greatest_heard) = 0;
  // Takes over slots whose owner has agreed, if they still are as offered.
  virtual absl::StatusOr<std::vector<SlotGeneration>> TakeOver(uint64_t owner,
                                                               const std::vector<SlotOffer>& offers,
                                                               int64_t greatest_heard) = 0;
  // The owner takes back slots whose hand-over is unclear: after it, nobody can take them over by the offer.
  virtual absl::StatusOr<std::vector<SlotGeneration>> Keep(uint64_t owner,
                                                           const std::vector<SlotGeneration>& slots) = 0;

  // The log. Appends in one transaction, under the slots' generations: a batch is done as a whole or not at
  // all, but for slots whose generation has passed and rows that are there already. Repeating a batch is
  // safe. Events whose slot is not among the batch's slots are passed over too. INTERNAL: an offset below 1
  // (the tables have a CHECK for it), or anything else that the database cannot hold.
  virtual absl::StatusOr<AppendAnswer> Append(const AppendBatch& batch) = 0;
  // One for each room, in order. To be asked after the claim of the room's slot was answered.
  virtual absl::StatusOr<std::vector<RoomHead>> Heads(const std::vector<std::string>& rooms) = 0;
  // The newest `limit` events of the room with greater offsets than `after`, oldest first. Events that are
  // trimmed, deleted or not, are in none of Recent, History and OffsetAt.
  virtual absl::StatusOr<std::vector<LoggedEvent>> Recent(std::string_view room, int64_t after,
                                                          int limit) = 0;
  // How far back ids are looked for, in offsets.
  static constexpr int64_t kIdsReach = 16'384;
  // The events with ids among the last kIdsReach up to `head`, younger than `since_ms`, oldest first: offset,
  // time, sender, id and recipients alone. Those that are trimmed are there until they are deleted.
  virtual absl::StatusOr<std::vector<LoggedEvent>> Ids(std::string_view room, int64_t head,
                                                       int64_t since_ms) = 0;
  // Looks at 5,000 offsets at most.
  virtual absl::StatusOr<HistoryPage> History(const HistoryQuery& query) = 0;
  // The smallest offset whose event is not older than `time_ms`; the head + 1 if all are older.
  virtual absl::StatusOr<int64_t> OffsetAt(std::string_view room, int64_t time_ms) = 0;

  // Marks the events up to `offset` as trimmed, which is at most the room's head; a smaller offset than the
  // last one changes nothing. It does not delete them: DeleteTrimmed does, the oldest first. Those that Ids
  // may yet be asked for, with this `since_ms`, are not deleted but emptied of what was said and to whom: by
  // their ids a repetition is known. At most `limit` rows of one room are deleted, and as many are emptied.
  virtual absl::Status Trim(std::string_view room, int64_t offset) = 0;
  virtual absl::StatusOr<Deletion> DeleteTrimmed(std::string_view room, int limit, int64_t since_ms) = 0;
  // The rooms of these slots whose names come after `after`, by the bytes of their names, at most `limit`.
  virtual absl::StatusOr<std::vector<RoomHead>> Rooms(const std::vector<int>& slots, std::string_view after,
                                                      int limit) = 0;
};

}  // namespace hubbub::chat
