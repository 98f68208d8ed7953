#include "connector/chat_servers/partings.h"

#include <utility>

#include "connector/chat_servers/room_sends.h"

namespace hubbub::connector {

void Partings::Add(InRoom place, bool take_back) {
  rooms_.loop().AssertHere();
  Membership& membership = *place.membership;
  Parting parting{.place = std::move(place), .take_back = take_back};
  const auto& sends = parting.place.sends;
  if (sends == nullptr || sends->idle()) return GiveUp(parting);
  membership.SetOnEnded([this](Membership& ended, Membership::End) {
    const auto at = waiting_.extract(&ended);
    Forget(at.mapped().place);
  });
  sends->WhenIdle([this, &membership] {
    const auto at = waiting_.extract(&membership);
    GiveUp(at.mapped());
  });
  waiting_.emplace(&membership, std::move(parting));
}

void Partings::Forget(const InRoom& place) {
  if (place.sends != nullptr) {
    place.sends->WhenIdle(nullptr);
    place.sends->Close();
  }
  place.membership->Leave();
  rooms_.Erase(*place.membership);
}

void Partings::GiveUp(const Parting& parting) {
  const Membership& membership = *parting.place.membership;
  const bool joined = membership.joined();
  Forget(parting.place);
  // A place that is not there yet is taken back after the answer to its Add or Restore: a Kick now might
  // overtake that call.
  if (joined && parting.take_back) servers_.TakeBack(membership.at().server, KickRequestFor(membership));
}

}  // namespace hubbub::connector
