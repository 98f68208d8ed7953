#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chat/rooms/subscriber.h"

namespace hubbub::chat {

// A session's place in a room.
struct Place {
  SubscriberPtr subscriber;
  uint64_t session = 0;
  std::string token;     // A client that shows it takes the place over. Empty: nobody can.
  uint64_t address = 0;  // A hash of the client's address; 0: not known.
  // For a client that knows no tokens: how long, in milliseconds, its name is kept for it once it, or its
  // connector, is cut off. 0: for the grace, and for the client that shows the token alone.
  int64_t wait_ms = 0;
  // Orders what the place's client has asked for with its token: the later, the greater. 0, for a newcomer:
  // it does not say, and asked_ms decides.
  uint64_t attempt = 0;
  // When the client has asked for it, by this server's clock (SteadyNowMs); nothing: nobody knows, and it
  // counts as later than all before it.
  std::optional<int64_t> asked_ms = std::nullopt;

  // A client that shows one token has asked for this place before it has asked for `other`.
  bool AskedBefore(const Place& other) const {
    if (attempt != 0 && attempt != other.attempt) return attempt < other.attempt;
    return asked_ms && other.asked_ms && *asked_ms < *other.asked_ms;
  }
};

// Names a place without holding it.
struct PlaceId {
  uint64_t lease = 0;
  uint64_t session = 0;

  bool Names(const Place& place) const {
    return place.session == session && place.subscriber->lease() == lease;
  }
};

// How long a name is kept after the end of a place with this Place::wait_ms: never longer than the grace.
int64_t KeptFor(int64_t wait_ms, int64_t grace_ms);

// How many milliseconds `newcomer` has to wait for the place `left`, whose subscriber nobody listens to; 0:
// it may take it over now. The place of a client that has a token is taken over by the token alone, until its
// lease ends: then this is at least 1.
int64_t WaitFor(const Place& left, const Place& newcomer, int64_t grace_ms);

// The token hashes of a user's places; of the newest 64, if there are more.
std::vector<uint64_t> TokenHashes(const std::vector<Place>& places);

}  // namespace hubbub::chat
