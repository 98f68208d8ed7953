#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "boost/json.hpp"
#include "services/pomelo/body.h"

namespace hubbub::client {

// Where in a room an event stands that a client may be told later.
struct EventPosition {
  std::string_view room;
  uint64_t epoch = 0;
  uint64_t offset = 0;
};

// What a push says, in the two forms that formats need: JSON text, and the object that a schema encodes. Not
// thread-safe.
class PushBody {
 public:
  virtual ~PushBody() = default;
  // Appends object() as text that every client reads, as pomelo::JsonBody writes it.
  virtual void AppendJson(std::string& out) const = 0;
  virtual const boost::json::object& object() const = 0;
  // Nothing: it is no event of a room, or one that has no offset.
  virtual std::optional<EventPosition> position() const { return std::nullopt; }
};

// A body that is at hand as an object, which outlives this.
class ObjectBody final : public PushBody {
 public:
  explicit ObjectBody(const boost::json::object& object) : object_(object) {}

  void AppendJson(std::string& out) const override { out += pomelo::JsonBody(object_); }
  const boost::json::object& object() const override { return object_; }

 private:
  const boost::json::object& object_;
};

}  // namespace hubbub::client
