#include "chat/connectors/event_proto.h"

namespace hubbub::chat {

void ToProto(const Event& event, v1::Event* proto) {
  proto->set_room(event.room);
  proto->set_epoch(event.epoch);
  proto->set_offset(event.offset);
  proto->set_change(event.change);
  proto->set_life(event.life);
  proto->set_time_ms(event.time_ms);
  switch (event.kind) {
    case Event::Kind::kJoined:
      proto->mutable_joined()->set_user(event.user);
      return;
    case Event::Kind::kLeft:
      proto->mutable_left()->set_user(event.user);
      return;
    case Event::Kind::kMessage: {
      v1::Message* const message = proto->mutable_message();
      message->set_from(event.user);
      message->set_target(event.target);
      message->set_content(event.content);
      message->set_id(event.id);
      for (const uint64_t hash : event.for_tokens) message->add_for_tokens(hash);
      message->set_tokens_unknown(event.tokens_unknown);
      return;
    }
    case Event::Kind::kReplaced: {
      v1::Replaced* const replaced = proto->mutable_replaced();
      replaced->set_user(event.user);
      replaced->set_session(event.session);
      return;
    }
    case Event::Kind::kMoved:
      proto->mutable_moved()->set_server(event.target);
      return;
  }
}

EventPtr FromProto(const v1::Event& proto, int64_t at_ms) {
  auto event = std::make_shared<Event>();
  event->room = proto.room();
  event->epoch = proto.epoch();
  event->offset = proto.offset();
  event->change = proto.change();
  event->life = proto.life();
  event->time_ms = proto.time_ms();
  event->at_ms = at_ms;
  switch (proto.kind_case()) {
    case v1::Event::kJoined:
      event->kind = Event::Kind::kJoined;
      event->user = proto.joined().user();
      return event;
    case v1::Event::kLeft:
      event->kind = Event::Kind::kLeft;
      event->user = proto.left().user();
      return event;
    case v1::Event::kMessage:
      event->kind = Event::Kind::kMessage;
      event->user = proto.message().from();
      event->target = proto.message().target();
      event->content = proto.message().content();
      event->id = proto.message().id();
      event->for_tokens.assign(proto.message().for_tokens().begin(), proto.message().for_tokens().end());
      event->tokens_unknown = proto.message().tokens_unknown();
      return event;
    default:
      return nullptr;
  }
}

void ToProto(const SendResult& result, v1::SendResponse* proto) {
  proto->set_offset(result.offset);
  proto->set_epoch(result.epoch);
  proto->set_time_ms(result.time_ms);
  proto->set_recipients(static_cast<uint32_t>(result.recipients));
  proto->set_repeated(result.repeated);
}

}  // namespace hubbub::chat
