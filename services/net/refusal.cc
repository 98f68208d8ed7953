#include "services/net/refusal.h"

#include <memory>
#include <utility>

namespace hubbub::net {
namespace {

// Ignores what a guest says.
class Deaf final : public Protocol {
 public:
  size_t OnBytes(std::string_view bytes, bool) override { return bytes.size(); }
  void OnLastByte(std::string_view) override {}
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view) override {}
  void OnClosed(CloseReason, std::string_view) override {}
};

}  // namespace

void SendAway(SocketConnection& connection, RefusalBytes refuse, std::string reason) {
  connection.Start(std::make_unique<Deaf>());
  if (refuse != nullptr)
    connection.Send(std::make_shared<const std::string>(refuse(reason, connection.framed())));
  connection.Close(CloseReason::kRefused, std::move(reason));
}

}  // namespace hubbub::net
