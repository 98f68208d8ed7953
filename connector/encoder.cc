#include "connector/encoder.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "boost/json.hpp"
#include "services/string_map.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;
using chat::v1::Event;

Delivery::Kind KindOf(const Event& event) {
  switch (event.kind_case()) {
    case Event::kJoined:
      return Delivery::Kind::kJoined;
    case Event::kLeft:
      return Delivery::Kind::kLeft;
    case Event::kReplaced:
      return Delivery::Kind::kReplaced;
    case Event::kMoved:
      return Delivery::Kind::kMoved;
    case Event::kMessage:
      return event.message().target() == "*" ? Delivery::Kind::kMessages : Delivery::Kind::kTargeted;
    case Event::KIND_NOT_SET:
      break;
  }
  return Delivery::Kind::kReplaced;  // From a newer chat server: nobody here could read it.
}

// The body of a push in the stock demo's shape, with Hubbub's additions behind it. The stock server's JSON
// bodies name their route.
json::object BodyOf(const Event& event, json::storage_ptr memory = {}) {
  constexpr size_t kFields = 8;
  json::object body(kFields, std::move(memory));
  switch (event.kind_case()) {
    case Event::kJoined:
      body.emplace("route", "onAdd");
      body.emplace("user", event.joined().user());
      break;
    case Event::kLeft:
      body.emplace("route", "onLeave");
      body.emplace("user", event.left().user());
      break;
    default:
      body.emplace("route", "onChat");
      body.emplace("msg", event.message().content());
      body.emplace("from", event.message().from());
      body.emplace("target", event.message().target());
  }
  body.emplace("rid", event.room());
  body.emplace("offset", event.offset());
  body.emplace("epoch", event.epoch());
  body.emplace("time", event.time_ms());
  return body;
}

std::string_view RouteOf(const Event& event) {
  switch (event.kind_case()) {
    case Event::kJoined:
      return route::kOnAdd;
    case Event::kLeft:
      return route::kOnLeave;
    default:
      return route::kOnChat;
  }
}

}  // namespace

json::array PushBodies(const google::protobuf::RepeatedPtrField<Event>& events) {
  json::array bodies;
  for (const Event& event : events) bodies.push_back(BodyOf(event));
  return bodies;
}

net::Payload Delivery::After(uint64_t offset, WireFormat format) const {
  const Encoded& own = encoded[static_cast<size_t>(format)];
  if (own.bytes == nullptr || offsets.empty() || offsets.back() <= offset) return nullptr;
  if (offsets.front() > offset) return own.bytes;
  const auto first = std::upper_bound(offsets.begin(), offsets.end(), offset) - offsets.begin();
  return std::make_shared<const std::string>(own.bytes->substr(own.starts[static_cast<size_t>(first)]));
}

size_t Delivery::CountAfter(uint64_t offset) const {
  if (offsets.empty() || offsets.front() > offset) return offsets.size();
  return static_cast<size_t>(offsets.end() - std::upper_bound(offsets.begin(), offsets.end(), offset));
}

// A delivery whose bytes still grow.
struct Encoder::Draft {
  Delivery delivery;
  std::array<std::shared_ptr<std::string>, kWireFormats> bytes;
  size_t most_bytes = 0;
};

void Encoder::Append(Event& event, Draft& draft) const {
  draft.delivery.offsets.push_back(event.offset());
  // For the body of a short message, so that it takes no memory of the heap.
  std::array<unsigned char, 2048> memory;
  json::monotonic_resource resource(memory.data(), memory.size());
  const json::object body = BodyOf(event, &resource);
  for (size_t format = 0; format < kWireFormats; ++format) {
    auto& bytes = draft.bytes[format];
    if (bytes == nullptr) continue;
    draft.delivery.encoded[format].starts.push_back(bytes->size());
    contract_.AppendPush(static_cast<WireFormat>(format), RouteOf(event), body, *bytes);
    draft.most_bytes = std::max(draft.most_bytes, bytes->size());
  }
  draft.delivery.events.push_back(std::make_shared<const Event>(std::move(event)));
}

Deliveries Encoder::Encode(google::protobuf::RepeatedPtrField<Event> events,
                           const std::string& source) const {
  std::array<bool, kWireFormats> wanted;
  for (size_t format = 0; format < kWireFormats; ++format) wanted[format] = in_use_[format] > 0;

  std::vector<Draft> drafts;
  StringMap<size_t> latest;  // The newest draft of each room.
  for (Event& event : events) {
    const Delivery::Kind kind = KindOf(event);
    const auto [at, first] = latest.try_emplace(event.room(), 0);
    if (!first && kind == Delivery::Kind::kMessages) {
      Draft& run = drafts[at->second];
      if (run.delivery.kind == kind && run.delivery.epoch == event.epoch() && run.most_bytes < kMaxRunBytes) {
        Append(event, run);
        continue;
      }
    }
    at->second = drafts.size();
    Draft& draft = drafts.emplace_back();
    draft.delivery.kind = kind;
    draft.delivery.room = event.room();
    draft.delivery.epoch = event.epoch();
    if (kind == Delivery::Kind::kReplaced) {
      draft.delivery.user = event.replaced().user();
      draft.delivery.session = event.replaced().session();
      continue;
    }
    if (kind == Delivery::Kind::kMoved) {
      draft.delivery.source = source;
      draft.delivery.server = event.moved().server();
      continue;
    }
    if (kind == Delivery::Kind::kJoined) draft.delivery.user = event.joined().user();
    if (kind == Delivery::Kind::kLeft) draft.delivery.user = event.left().user();
    if (kind == Delivery::Kind::kTargeted) draft.delivery.user = event.message().target();
    for (size_t format = 0; format < kWireFormats; ++format) {
      if (wanted[format]) draft.bytes[format] = std::make_shared<std::string>();
    }
    Append(event, draft);
  }

  Deliveries deliveries;
  deliveries.reserve(drafts.size());
  for (Draft& draft : drafts) {
    for (size_t format = 0; format < kWireFormats; ++format) {
      draft.delivery.encoded[format].bytes = std::move(draft.bytes[format]);
    }
    deliveries.push_back(std::move(draft.delivery));
  }
  return deliveries;
}

}  // namespace hubbub::connector
