#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hubbub::chat {

// What a room tells its members: the one type for it inside the chat server; v1::Event is made from it at the
// rim. Immutable once it is shared, therefore free to read from any thread.
struct Event {
  enum class Kind : uint8_t { kJoined, kLeft, kMessage, kReplaced, kMoved };

  std::string room;
  uint64_t epoch = 0;
  // 1, 2, 3 … in the epoch; 0 for kReplaced and kMoved, which are no events of the room, and in a room with a
  // log for kJoined and kLeft too.
  uint64_t offset = 0;
  // kJoined and kLeft in a room with a log: 1, 2, 3 …, apart from the offsets, in one life of the room in
  // memory.
  uint64_t change = 0;
  uint64_t life = 0;
  int64_t time_ms = 0;  // What people are shown: milliseconds since 1970, UTC.
  int64_t at_ms = 0;    // When it happened, as SteadyNowMs: its age is judged by this.
  Kind kind = Kind::kMessage;
  std::string user;     // Who came, left, spoke, or lost a place.
  std::string target;   // kMessage: "*" or the one user it is for. kMoved: the chat server that has the room.
  std::string content;  // kMessage.
  std::string id;       // kMessage: the send's own; may be empty.
  uint64_t session = 0;  // kReplaced: the session that lost the place.
  // kMessage for one user: the TokenHash of each place that the user had then. Who comes back with one of
  // these tokens may have the message again, and nobody else. No client sees them.
  std::vector<uint64_t> for_tokens;
  bool tokens_unknown = false;  // It was read from the log, which does not keep them.

  // Its place among those that are numbered with it.
  uint64_t number() const { return change != 0 ? change : offset; }
  size_t text_bytes() const { return room.size() + user.size() + target.size() + content.size() + id.size(); }
  // Never less than what the event takes in a batch: all numbers, tags and lengths fit into 64 bytes.
  size_t wire_bytes() const { return text_bytes() + 64 + hash_bytes(); }
  size_t memory_bytes() const { return text_bytes() + sizeof(Event) + hash_bytes(); }
  size_t hash_bytes() const { return for_tokens.size() * sizeof(uint64_t); }
};

using EventPtr = std::shared_ptr<const Event>;

// The target of a message that is for everybody in the room.
inline constexpr char kEverybody[] = "*";

}  // namespace hubbub::chat
