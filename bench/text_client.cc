#include "bench/text_client.h"

#include <string>
#include <utility>

namespace hubbub::bench {

TextClient::TextClient(int number, int room, Audience& audience, Protocol protocol)
    : Client(number, room, audience), dialect_(MakeDialect(protocol, user_, room_)) {}

absl::Status TextClient::Start() {
  const auto& servers = audience_.entries;
  return Connect(servers[static_cast<size_t>(number_) % servers.size()],
                 {.target = dialect_->target(), .payload = Payload::kText});
}

void TextClient::OnOpen() {
  if (const std::string hello = dialect_->Hello(); !hello.empty()) connection_.Queue(hello);
}

bool TextClient::OnPackage(const pomelo::Package& package) {
  std::string_view text = package.body;
  while (!text.empty()) {
    std::string reply;
    Dialect::Heard heard = dialect_->Hear(text, reply);
    if (!reply.empty()) connection_.Queue(reply);
    switch (heard.kind) {
      case Dialect::Heard::Kind::kNothing:
        break;
      case Dialect::Heard::Kind::kEntered:
        entered_ = true;
        audience_.OnEntered(*this);
        break;
      case Dialect::Heard::Kind::kAnswer:
        audience_.OnAnswer(*this, heard.status);
        break;
      case Dialect::Heard::Kind::kDelivery:
        if (entered_) audience_.OnDelivery(*this, heard.body);
        break;
      case Dialect::Heard::Kind::kRefused:
        return Fail(std::move(heard.status));
    }
  }
  return true;
}

}  // namespace hubbub::bench
