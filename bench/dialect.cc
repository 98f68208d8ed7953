#include "bench/dialect.h"

#include <charconv>
#include <utility>

#include "bench/centrifugo_dialect.h"
#include "bench/socketio_dialect.h"

namespace hubbub::bench {

std::unique_ptr<Dialect> MakeDialect(Protocol protocol, std::string user, std::string room) {
  if (protocol == Protocol::kCentrifugo)
    return std::make_unique<CentrifugoDialect>(std::move(user), std::move(room));
  return std::make_unique<SocketIoDialect>(std::move(user), std::move(room));
}

absl::Status CheckAnswer(std::string_view body) {
  constexpr std::string_view kCode = "\"code\":";
  const size_t at = body.find(kCode);
  if (at == std::string_view::npos) return absl::OkStatus();
  int code = 500;  // Codes that are no numbers are errors too.
  std::from_chars(body.data() + at + kCode.size(), body.data() + body.size(), code);
  if (code < 400) return absl::OkStatus();
  return absl::UnknownError("a request was answered with " + std::string(body.substr(0, 200)));
}

}  // namespace hubbub::bench
