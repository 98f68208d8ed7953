#include "connector/delivery/event_body.h"

#include <concepts>
#include <utility>

#include "fmt/format.h"
#include "services/base/json_text.h"
#include "services/client/contract.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;
using chat::v1::Event;

// Calls `field(name, value)` for each field of the body, in their order. Names need no escapes.
template <typename Field>
void ForEachField(const Event& event, Field field) {
  field("route", RouteOf(event));
  switch (event.kind_case()) {
    case Event::kJoined:
      field("user", std::string_view(event.joined().user()));
      break;
    case Event::kLeft:
      field("user", std::string_view(event.left().user()));
      break;
    default:
      field("msg", std::string_view(event.message().content()));
      field("from", std::string_view(event.message().from()));
      field("target", std::string_view(event.message().target()));
  }
  field("rid", std::string_view(event.room()));
  // With durable history comings and goings have none.
  if (event.change() == 0) field("offset", event.offset());
  field("epoch", event.epoch());
  field("time", event.time_ms());
}

void AppendValue(std::string_view text, std::string& out) {
  AppendJsonString(text, out);
}
void AppendValue(std::integral auto number, std::string& out) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

json::string_view ValueOf(std::string_view text) {
  return {text.data(), text.size()};
}
auto ValueOf(std::integral auto number) {
  return number;
}

json::object ObjectOf(const Event& event, json::storage_ptr memory = {}) {
  constexpr size_t kFields = 8;
  json::object body(kFields, std::move(memory));
  ForEachField(event, [&body](const char* name, auto value) { body.emplace(name, ValueOf(value)); });
  return body;
}

}  // namespace

std::string_view RouteOf(const Event& event) {
  switch (event.kind_case()) {
    case Event::kJoined:
      return client::route::kOnAdd;
    case Event::kLeft:
      return client::route::kOnLeave;
    default:
      return client::route::kOnChat;
  }
}

void EventBody::AppendJson(std::string& out) const {
  char before = '{';
  ForEachField(event_, [&](std::string_view name, auto value) {
    out += std::exchange(before, ',');
    out += '"';
    out += name;
    out += "\":";
    AppendValue(value, out);
  });
  out += '}';
}

const json::object& EventBody::object() const {
  if (!object_) object_.emplace(ObjectOf(event_, &resource_));
  return *object_;
}

std::optional<client::EventPosition> EventBody::position() const {
  if (event_.change() != 0 || event_.offset() == 0) return std::nullopt;
  return client::EventPosition{.room = event_.room(), .epoch = event_.epoch(), .offset = event_.offset()};
}

json::array PushBodies(const google::protobuf::RepeatedPtrField<Event>& events) {
  json::array bodies;
  for (const Event& event : events) bodies.push_back(ObjectOf(event));
  return bodies;
}

}  // namespace hubbub::connector
