#include "chat/connectors/room_proto.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "chat/connectors/event_proto.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {
namespace {

// Far below what a gRPC client receives by default; what does not fit is asked for again.
constexpr size_t kMaxAnswerBytes = size_t{2} << 20;

int64_t AgeOf(int64_t at_ms, int64_t now_ms) {
  return std::max<int64_t>(now_ms - at_ms, 0);
}

void WithAge(const Event& event, int64_t now_ms, v1::Event* proto) {
  ToProto(event, proto);
  proto->set_age_ms(AgeOf(event.at_ms, now_ms));
}

std::vector<EventPtr> EventsOf(const google::protobuf::RepeatedPtrField<v1::Event>& protos, int64_t now_ms) {
  std::vector<EventPtr> events;
  events.reserve(static_cast<size_t>(protos.size()));
  for (const v1::Event& proto : protos) {
    if (EventPtr event = FromProto(proto, TimeOf(proto.age_ms(), now_ms))) events.push_back(std::move(event));
  }
  return events;
}

void ToProto(const absl::Status& status, v1::RestoredRoom* proto) {
  const std::string owner = rpc::OwnerIn(status);
  proto->set_outcome(owner.empty() ? v1::RESTORE_OUTCOME_LATER : v1::RESTORE_OUTCOME_ELSEWHERE);
  proto->set_owner(owner);
  proto->set_reason(std::string(status.message()));
}

}  // namespace

int64_t TimeOf(int64_t age_ms, int64_t now_ms) {
  constexpr int64_t kMostMs = 24 * 3'600'000;
  return now_ms - std::clamp<int64_t>(age_ms, 0, kMostMs);
}

void ToProto(const RoomState& state, int64_t now_ms, v1::RoomState* proto) {
  proto->set_room(state.room);
  proto->set_epoch(state.epoch);
  proto->set_offset(state.offset);
  proto->set_life(state.life);
  proto->set_change(state.change);
  proto->set_time_ms(state.time_ms);
  for (const RoomState::Place& place : state.places) {
    v1::PlaceState* const p = proto->add_places();
    p->set_user(place.user);
    p->set_connector(place.connector);
    p->set_session(place.session);
    p->set_token(place.token);
    p->set_client_address(place.address);
    p->set_wait_ms(static_cast<uint32_t>(place.wait_ms));
    p->set_attempt(place.attempt);
    if (place.asked_ms) p->set_age_ms(AgeOf(*place.asked_ms, now_ms));
  }
  for (const KeptNames::Entry& entry : state.kept) {
    v1::KeptName* const k = proto->add_kept_names();
    k->set_user(entry.user);
    k->set_token_hash(entry.kept.token);
    k->set_client_address(entry.kept.address);
    k->set_left_ms(static_cast<uint32_t>(std::max<int64_t>(entry.kept.until_ms, 0)));
  }
  for (const std::string& user : state.awaited) proto->add_awaited_users(user);
  proto->set_awaited_ms(static_cast<uint32_t>(std::max<int64_t>(state.awaited_ms, 0)));
  for (const EventPtr& event : state.recent_events) WithAge(*event, now_ms, proto->add_recent_events());
  for (const EventPtr& event : state.recent_changes) WithAge(*event, now_ms, proto->add_recent_changes());
  for (const RecentIds::Entry& send : state.recent_ids) {
    v1::SentState* const s = proto->add_recent_ids();
    s->set_from(send.from);
    s->set_id(send.id);
    s->set_epoch(send.sent.epoch);
    s->set_offset(send.sent.offset);
    s->set_time_ms(send.sent.time_ms);
    s->set_recipients(static_cast<uint32_t>(send.sent.recipients));
    s->set_age_ms(AgeOf(send.sent.at_ms, now_ms));
  }
  for (const auto& [epoch, events] : state.earlier) {
    v1::EarlierLife* const life = proto->add_earlier();
    life->set_epoch(epoch);
    for (const auto& [offset, event] : events) WithAge(*event, now_ms, life->add_events());
  }
  proto->set_newcomers(state.newcomers);
}

RoomState FromProto(const v1::RoomState& proto, int64_t now_ms) {
  RoomState state{.room = proto.room(),
                  .epoch = proto.epoch(),
                  .offset = proto.offset(),
                  .life = proto.life(),
                  .change = proto.change(),
                  .time_ms = proto.time_ms(),
                  .places = {},
                  .recent_events = EventsOf(proto.recent_events(), now_ms),
                  .recent_changes = EventsOf(proto.recent_changes(), now_ms),
                  .recent_ids = {},
                  .earlier = {},
                  .kept = {},
                  .awaited = {proto.awaited_users().begin(), proto.awaited_users().end()},
                  .awaited_ms = proto.awaited_ms(),
                  .newcomers = proto.newcomers()};
  for (const v1::PlaceState& p : proto.places()) {
    state.places.push_back({p.user(), p.connector(), p.session(), p.token(), p.client_address(), p.wait_ms(),
                            p.attempt(), AskedMs(p, now_ms)});
  }
  for (const v1::KeptName& k : proto.kept_names()) {
    state.kept.push_back(
        {k.user(), {.token = k.token_hash(), .address = k.client_address(), .until_ms = k.left_ms()}});
  }
  for (const v1::SentState& s : proto.recent_ids()) {
    state.recent_ids.push_back({s.from(),
                                s.id(),
                                {.epoch = s.epoch(),
                                 .offset = s.offset(),
                                 .time_ms = s.time_ms(),
                                 .recipients = s.recipients(),
                                 .at_ms = TimeOf(s.age_ms(), now_ms)}});
  }
  for (const v1::EarlierLife& life : proto.earlier()) {
    auto& events = state.earlier[life.epoch()];
    for (EventPtr& event : EventsOf(life.events(), now_ms)) {
      const uint64_t offset = event->offset;
      events.emplace(offset, std::move(event));
    }
  }
  return state;
}

void ToProto(const RestoreResult& result, v1::RestoredRoom* proto) {
  proto->set_outcome(v1::RESTORE_OUTCOME_RESTORED);
  for (const std::string& user : result.users) proto->add_users(user);
  proto->set_total(static_cast<uint32_t>(result.total));
  proto->set_epoch(result.epoch);
  proto->set_offset(result.offset);
  proto->set_life(result.life);
  proto->set_change(result.change);
  proto->set_recovered(result.missed.has_value());
  if (result.missed) {
    for (const EventPtr& event : *result.missed) ToProto(*event, proto->add_missed_events());
  }
  for (const uint32_t index : result.replaced) proto->add_replaced(index);
}

RoomClaim ClaimOf(const v1::RoomPlaces& proto, SubscriberPtr subscriber, int64_t now_ms) {
  RoomClaim claim{.subscriber = std::move(subscriber),
                  .epoch = proto.epoch(),
                  .offset = proto.offset(),
                  .life = proto.life(),
                  .change = proto.change(),
                  .time_ms = proto.time_ms(),
                  .places = {},
                  .recent_events = EventsOf(proto.recent_events(), now_ms),
                  .shown_users = {proto.shown_users().begin(), proto.shown_users().end()}};
  for (const v1::RestoredPlace& p : proto.places())
    claim.places.push_back(
        {p.user(), p.session(), p.token(), p.client_address(), p.wait_ms(), p.attempt(), AskedMs(p, now_ms)});
  return claim;
}

LossReport ReportOf(const v1::RestoreRequest& proto, const SubscriberPtr& subscriber, int64_t now_ms) {
  LossReport report{.connector = subscriber->connector(),
                    .part = proto.part(),
                    .parts = proto.parts(),
                    .calls = proto.calls(),
                    .rooms = {}};
  report.rooms.reserve(static_cast<size_t>(proto.rooms_size()));
  for (const v1::RoomPlaces& room : proto.rooms())
    report.rooms.emplace_back(room.room(), ClaimOf(room, subscriber, now_ms));
  return report;
}

void ToProto(const RestoreResults& results, v1::RestoreResponse& proto) {
  size_t bytes = 0;
  for (const absl::StatusOr<RestoreResult>& result : results) {
    v1::RestoredRoom* const room = proto.add_rooms();
    if (!result.ok()) {
      ToProto(result.status(), room);
    } else if (bytes > kMaxAnswerBytes) {
      room->set_outcome(v1::RESTORE_OUTCOME_LATER);
      room->set_reason("the answer is full");
    } else {
      ToProto(*result, room);
      bytes += room->ByteSizeLong();
    }
  }
}

void ToProto(AddResult result, v1::AddResponse& proto) {
  proto.mutable_users()->Reserve(static_cast<int>(result.users.size()));
  for (std::string& user : result.users) proto.add_users(std::move(user));
  proto.set_total(static_cast<uint32_t>(result.total));
  proto.set_epoch(result.epoch);
  proto.set_offset(result.offset);
  proto.set_life(result.life);
  proto.set_change(result.change);
  proto.set_attempt(result.attempt);
  proto.set_resumed(result.resumed);
  proto.set_recovered(result.missed.has_value());
  if (!result.missed) return;
  for (const EventPtr& event : *result.missed) ToProto(*event, proto.add_missed_events());
}

void ToProto(RoomInfo info, v1::GetRoomResponse& proto) {
  proto.set_total(static_cast<uint32_t>(info.total));
  proto.set_epoch(info.epoch);
  proto.set_offset(info.offset);
  for (MemberInfo& m : info.members) {
    v1::Member* const member = proto.add_members();
    member->set_user(std::move(m.user));
    member->set_connector(std::move(m.connector));
    member->set_session(m.session);
  }
}

}  // namespace hubbub::chat
