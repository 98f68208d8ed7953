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

net::Payload Delivery::After(uint64_t offset, WireKind wire) const {
  const Encoded& own = encoded[wire.index()];
  if (own.bytes == nullptr || offsets.empty() || offsets.back() <= offset) return nullptr;
  if (offsets.front() > offset) return own.bytes;
  const auto first = std::upper_bound(offsets.begin(), offsets.end(), offset) - offsets.begin();
  std::string rest = own.bytes->substr(own.starts[static_cast<size_t>(first) - 1]);
  return rest.empty() ? nullptr : std::make_shared<const std::string>(std::move(rest));
}

size_t Delivery::CountAfter(uint64_t offset) const {
  if (offsets.empty() || offsets.front() > offset) return offsets.size();
  return static_cast<size_t>(offsets.end() - std::upper_bound(offsets.begin(), offsets.end(), offset));
}

// A delivery whose bytes still grow.
struct Encoder::Draft {
  Delivery delivery;
  std::array<std::shared_ptr<std::string>, kWireKinds> bytes;  // Null if this kind is not in use.
  size_t most_bytes = 0;

  // Where the next event goes on this wire; null if the kind is not in use.
  std::string* Next(WireKind wire) {
    std::string* const own = bytes[wire.index()].get();
    // Called once the event's offset is there.
    if (own != nullptr && delivery.offsets.size() > 1)
      delivery.encoded[wire.index()].starts.push_back(own->size());
    return own;
  }
};

void Encoder::Append(Event& event, Draft& draft) const {
  draft.delivery.offsets.push_back(event.offset());
  // For the body of a short message, so that it takes no memory of the heap.
  std::array<unsigned char, 2048> memory;
  json::monotonic_resource resource(memory.data(), memory.size());
  const json::object body = BodyOf(event, &resource);
  for (int i = 0; i < kWireFormats; ++i) {
    const auto format = static_cast<WireFormat>(i);
    std::string* const plain = draft.Next({format, /*framed=*/false});
    std::string* const framed = draft.Next({format, /*framed=*/true});
    std::string* const first = framed != nullptr ? framed : plain;
    if (first == nullptr) continue;
    const size_t start = framed != nullptr ? net::BeginFrame(*framed) : 0;
    contract_.AppendPush(format, RouteOf(event), body, *first);
    if (framed != nullptr) {
      const std::string_view package = net::EndFrame(start, *framed);
      if (plain != nullptr) plain->append(package);
    }
    draft.most_bytes = std::max(draft.most_bytes, first->size());
  }
  draft.delivery.events.push_back(std::make_shared<const Event>(std::move(event)));
}

Deliveries Encoder::Encode(google::protobuf::RepeatedPtrField<Event> events,
                           const std::string& source) const {
  std::array<bool, kWireKinds> wanted;
  for (size_t wire = 0; wire < kWireKinds; ++wire) wanted[wire] = in_use_[wire] > 0;

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
    for (size_t wire = 0; wire < kWireKinds; ++wire) {
      if (wanted[wire]) draft.bytes[wire] = std::make_shared<std::string>();
    }
    Append(event, draft);
  }

  Deliveries deliveries;
  deliveries.reserve(drafts.size());
  for (Draft& draft : drafts) {
    for (size_t wire = 0; wire < kWireKinds; ++wire) {
      auto& bytes = draft.bytes[wire];
      // A push that its schema refused is nothing, and nothing is not sent.
      if (bytes != nullptr && !bytes->empty()) draft.delivery.encoded[wire].bytes = std::move(bytes);
    }
    deliveries.push_back(std::move(draft.delivery));
  }
  return deliveries;
}

}  // namespace hubbub::connector
