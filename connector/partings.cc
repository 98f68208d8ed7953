#include "connector/partings.h"

#include <utility>

#include "connector/places.h"
#include "connector/room_sends.h"

namespace hubbub::connector {

void Partings::Add(std::unique_ptr<Membership> membership, bool take_back) {
  Membership& place = *membership;
  place.ended_session = std::exchange(place.session, nullptr)->id();
  Parting parting{.membership = std::move(membership), .take_back = take_back};
  if (place.sends == nullptr || place.sends->idle()) return GiveUp(parting);
  rooms_.SetOwner(place, *this);
  place.sends->WhenIdle([this, &place] {
    const auto idle = waiting_.extract(&place);
    GiveUp(idle.mapped());
  });
  waiting_.emplace(&place, std::move(parting));
}

void Partings::OnEnded(Membership& membership, LocalRooms::End) {
  const auto parting = waiting_.extract(&membership);
  Forget(membership);
}

void Partings::Forget(Membership& membership) {
  if (membership.sends != nullptr) {
    membership.sends->WhenIdle(nullptr);
    membership.sends->Close();
  }
  restorer_.Depart(membership);
  rooms_.Erase(membership);
}

void Partings::GiveUp(const Parting& parting) {
  Membership& place = *parting.membership;
  Forget(place);
  // One that still waits for the answer to its Add is taken back when that is here: a Kick now might overtake
  // it.
  if (!place.joined || !parting.take_back) return;
  if (auto link = links_.Find(place.server)) {
    chat::v1::KickRequest kick = PlaceOf(place.room, place.user, place.lease, place.ended_session);
    kick.set_keep_name(place.keep_name);
    kick.set_wait_ms(place.wait_ms);
    KickPlace(rooms_.loop(), std::move(link), kick, kTriesAlone);
  }
}

}  // namespace hubbub::connector
