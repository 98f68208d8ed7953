#include "connector/delivery/encoder.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "connector/delivery/event_body.h"
#include "services/base/string_map.h"

namespace hubbub::connector {
namespace {

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

}  // namespace

net::Payload Delivery::After(uint64_t number, const client::PushEncoding& encoding) const {
  if (numbers.empty() || numbers.back() <= number) return nullptr;
  const Encoded& own = encoded[encoding.index()];
  if (own.bytes == nullptr || numbers.front() > number) return own.bytes;
  const auto first = std::upper_bound(numbers.begin(), numbers.end(), number) - numbers.begin();
  std::string rest = own.bytes->substr(own.starts[static_cast<size_t>(first) - 1]);
  return rest.empty() ? nullptr : std::make_shared<const std::string>(std::move(rest));
}

size_t Delivery::CountAfter(uint64_t number) const {
  if (numbers.empty() || numbers.front() > number) return numbers.size();
  return static_cast<size_t>(numbers.end() - std::upper_bound(numbers.begin(), numbers.end(), number));
}

// A delivery whose bytes still grow.
struct Encoder::Draft {
  Delivery delivery;
  std::vector<std::shared_ptr<std::string>> bytes;  // By PushEncoding::index; null if that is not in use.
  size_t most_bytes = 0;

  // Where the next event goes in this encoding; null if that is not in use. Called once the event's number is
  // there.
  std::string* Next(const client::PushEncoding& encoding) {
    std::string* const own = bytes[encoding.index()].get();
    if (own != nullptr && delivery.numbers.size() > 1)
      delivery.encoded[encoding.index()].starts.push_back(own->size());
    return own;
  }
};

void Encoder::Append(Event& event, Draft& draft) const {
  draft.delivery.numbers.push_back(event.change() != 0 ? event.change() : event.offset());
  const EventBody body(event);
  for (const auto& group : encodings_.groups()) {
    std::optional<std::string_view> package;  // As the first encoding in use has it.
    for (const auto& encoding : *group) {
      std::string* const out = draft.Next(*encoding);
      if (out == nullptr) continue;
      if (package) {
        encoding->AppendPackage(*package, *out);
      } else {
        package = encoding->AppendPush(RouteOf(event), body, *out);
      }
      draft.most_bytes = std::max(draft.most_bytes, out->size());
    }
  }
  draft.delivery.events.push_back(std::make_shared<const Event>(std::move(event)));
}

Deliveries Encoder::Encode(google::protobuf::RepeatedPtrField<Event> events,
                           const std::string& source) const {
  std::vector<bool> wanted(in_use_.size());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = in_use_[i] > 0;

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
    draft.delivery.source = source;
    if (event.change() != 0) draft.delivery.life = event.life();
    if (kind == Delivery::Kind::kReplaced) {
      draft.delivery.user = event.replaced().user();
      draft.delivery.session = event.replaced().session();
      continue;
    }
    if (kind == Delivery::Kind::kMoved) {
      draft.delivery.server = event.moved().server();
      continue;
    }
    if (kind == Delivery::Kind::kJoined) draft.delivery.user = event.joined().user();
    if (kind == Delivery::Kind::kLeft) draft.delivery.user = event.left().user();
    if (kind == Delivery::Kind::kTargeted) draft.delivery.user = event.message().target();
    draft.delivery.encoded.resize(wanted.size());
    draft.bytes.resize(wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) draft.bytes[i] = std::make_shared<std::string>();
    }
    Append(event, draft);
  }

  Deliveries deliveries;
  deliveries.reserve(drafts.size());
  for (Draft& draft : drafts) {
    for (size_t i = 0; i < draft.bytes.size(); ++i) {
      auto& bytes = draft.bytes[i];
      // A push that its schema refused has no bytes, and is not sent.
      if (bytes != nullptr && !bytes->empty()) draft.delivery.encoded[i].bytes = std::move(bytes);
    }
    deliveries.push_back(std::move(draft.delivery));
  }
  return deliveries;
}

}  // namespace hubbub::connector
