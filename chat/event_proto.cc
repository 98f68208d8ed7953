#include "chat/event_proto.h"

namespace hubbub::chat {

void ToProto(const Event& event, v1::Event* proto) {
  proto->set_room(event.room);
  proto->set_epoch(event.epoch);
  proto->set_offset(event.offset);
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
      return;
    }
    case Event::Kind::kReplaced: {
      v1::Replaced* const replaced = proto->mutable_replaced();
      replaced->set_user(event.user);
      replaced->set_session(event.session);
      return;
    }
  }
}

}  // namespace hubbub::chat
