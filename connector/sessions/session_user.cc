#include "connector/sessions/session_user.h"

#include <string_view>
#include <utility>

#include "services/base/stable_hash.h"

namespace hubbub::connector {
namespace {

// A hash of where a client is: without its port, which is another one each time.
uint64_t AddressOf(std::string_view peer) {
  const std::string_view address = peer.substr(0, peer.rfind(':'));
  return address.empty() ? 0 : StableHash(address);
}

}  // namespace

Membership::Who SessionUser::Enter(const EnterRequest& wish) {
  // A token that is shown stays the client's own: it may be shown again if the answer does not arrive, and
  // what the room has for it is for it alone.
  const bool has_token = LooksLikeAToken(wish.resume);
  showed_token_ = showed_token_ || has_token;
  if (name_.empty()) SignIn(wish.user, has_token ? wish.resume : token_);
  return {.room = wish.room,
          .user = name_,
          .token = has_token ? wish.resume : token_,
          .address = AddressOf(session_.peer()),
          .wait_ms = WaitMs()};
}

void SessionUser::SignIn(const std::string& name, std::string token) {
  name_ = name;
  token_ = token.empty() ? NewToken() : std::move(token);
  encoder_.Use(session_.push_encoding());
  sessions_.SignIn(name_, session_);
}

void SessionUser::SignOut() {
  if (name_.empty()) return;
  sessions_.SignOut(name_, session_);
  encoder_.Unuse(session_.push_encoding());
  name_.clear();
}

}  // namespace hubbub::connector
