#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "boost/json.hpp"
#include "google/protobuf/repeated_field.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/client/push_body.h"

namespace hubbub::connector {

// How an event looks to clients: the route of its push, and the push's body in the stock demo's shape, with
// Hubbub's additions behind it. The stock server's JSON bodies name their route.

std::string_view RouteOf(const chat::v1::Event& event);

// The body of one event's push, which refers to the event. Its text is written straight from the event; the
// object is made when a schema asks for it. Not thread-safe.
class EventBody final : public client::PushBody {
 public:
  explicit EventBody(const chat::v1::Event& event) : event_(event) {}

  void AppendJson(std::string& out) const override;
  const boost::json::object& object() const override;
  std::optional<client::EventPosition> position() const override;

 private:
  const chat::v1::Event& event_;
  // For the object of a short message, so that it takes no memory of the heap.
  mutable std::array<unsigned char, 2048> memory_;
  mutable boost::json::monotonic_resource resource_{memory_.data(), memory_.size()};
  mutable std::optional<boost::json::object> object_;
};

// Events as the clients' pushes have them.
boost::json::array PushBodies(const google::protobuf::RepeatedPtrField<chat::v1::Event>& events);

}  // namespace hubbub::connector
