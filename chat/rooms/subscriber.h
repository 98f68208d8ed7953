#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "chat/rooms/event.h"
#include "chat/rooms/gather.h"

namespace hubbub::chat {

// What a room needs of a connector: a place to put its events. One Subscriber is one lease of one connector.
// Thread-safe.
class Subscriber : public Gathered {
 public:
  // Constant; never 0.
  virtual uint64_t lease() const = 0;
  virtual const std::string& connector() const = 0;

  // True once the lease has ended; it never becomes false again. It becomes true before
  // RoomTable::DropSubscriber is called, so that no Add comes after the drop.
  virtual bool ended() const = 0;

  // How long nobody has been listening, because the connector's stream broke; nothing while somebody does.
  // Called with the room's lock held.
  virtual std::optional<std::chrono::milliseconds> unheard_for() const { return std::nullopt; }

  // Called with the room's lock held, which gives all connectors the same order of events. Must not block
  // and must not call back into rooms. Does nothing after the end of the lease. With `gather`, which may be
  // null, the subscriber may hold the event back until Flush, if it adds itself there.
  virtual void Push(EventPtr event, Gather* gather) = 0;
};

using SubscriberPtr = std::shared_ptr<Subscriber>;

}  // namespace hubbub::chat
