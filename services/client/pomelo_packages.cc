#include "services/client/pomelo_packages.h"

#include "fmt/format.h"
#include "services/client/printable.h"

namespace hubbub::client {

using pomelo::MessageType;

absl::StatusOr<std::optional<pomelo::PackageAt>> PomeloPackages::Take(std::string_view bytes, bool frame_end,
                                                                      size_t max_body) {
  if (bytes.empty() && frame_end) return absl::InvalidArgumentError("an empty frame holds no package");
  auto package = pomelo::DecodePackage(bytes, max_body);
  if (package.ok() && !package->has_value() && frame_end)
    return absl::InvalidArgumentError("a frame ends in the middle of a package");
  return package;
}

absl::StatusOr<Request> PomeloPackages::ReadRequest(const ClientContract& contract,
                                                    std::string_view package_body) {
  const auto message = pomelo::DecodeMessage(package_body);
  if (!message.ok()) return message.status();
  if (message->type != MessageType::kRequest && message->type != MessageType::kNotify)
    return absl::InvalidArgumentError("a client can send requests and notifies only");
  Request request{
      .route = contract.RouteOf(message->route), .body = message->body, .compressed = message->compressed};
  if (message->type == MessageType::kRequest) request.id.emplace(message->id.bytes());
  return request;
}

absl::Status PomeloPackages::BodyError(const Request& request, std::string_view what_is_wrong) {
  return absl::InvalidArgumentError(fmt::format("the body of {}: {}", Quote(*request.route), what_is_wrong));
}

void PomeloPackages::Append(pomelo::PackageType type, std::string_view body, std::string& out) const {
  net::AppendFrame(framing_, out, [&](std::string& to) { pomelo::AppendPackage(type, body, to); });
}

}  // namespace hubbub::client
