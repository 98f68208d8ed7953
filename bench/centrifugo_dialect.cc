#include "bench/centrifugo_dialect.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/str_format.h"

namespace hubbub::bench {
namespace {

constexpr std::string_view kPingLine = "{}";
constexpr std::string_view kReplyLine = "{\"id\":";
constexpr std::string_view kPushLine = "{\"push\":";
constexpr std::string_view kPublication = "\"pub\":";
constexpr std::string_view kError = "\"error\":";

}  // namespace

std::string CentrifugoDialect::Hello() {
  return absl::StrFormat(R"({"id":%d,"connect":{"name":"%s"}})", kConnectId, user_);
}

Dialect::Heard CentrifugoDialect::Hear(std::string_view& text, std::string& reply) {
  // A frame may hold several, a line each.
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.starts_with(kPushLine)) {
    const bool publication = line.find(kPublication) != std::string_view::npos;
    return publication ? Heard{.kind = Heard::Kind::kDelivery, .body = line} : Heard{};
  }
  if (line.starts_with(kReplyLine)) return OnReply(line.substr(kReplyLine.size()), reply);
  if (line == kPingLine) {
    reply = kPingLine;
    return {};
  }
  return {.kind = Heard::Kind::kRefused,
          .status = absl::AbortedError("the server said " + std::string(line.substr(0, 200)))};
}

Dialect::Heard CentrifugoDialect::OnReply(std::string_view body, std::string& reply) const {
  uint64_t id = 0;
  std::from_chars(body.data(), body.data() + body.size(), id);
  absl::Status status = absl::OkStatus();
  if (body.find(kError) != std::string_view::npos)
    status = absl::UnknownError("a command was answered with " + std::string(body.substr(0, 200)));
  if (id > kSubscribeId) return {.kind = Heard::Kind::kAnswer, .status = std::move(status)};
  if (!status.ok()) return {.kind = Heard::Kind::kRefused, .status = std::move(status)};
  if (id == kSubscribeId) return {.kind = Heard::Kind::kEntered};
  reply = absl::StrFormat(R"({"id":%d,"subscribe":{"channel":"%s"}})", kSubscribeId, room_);
  return {};
}

std::string CentrifugoDialect::Say(std::string_view text) {
  std::string command = absl::StrFormat(R"({"id":%d,"publish":{"channel":"%s","data":{"from":"%s","msg":")",
                                        ++last_id_, room_, user_);
  command.append(text).append(R"("}}})");
  return command;
}

}  // namespace hubbub::bench
