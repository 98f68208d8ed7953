#include "services/net/refusal.h"

#include <utility>

#include "services/net/frame.h"
#include "services/pomelo/package.h"

namespace hubbub::net {
namespace {

// What a guest says is of no interest.
class Deaf final : public Protocol {
 public:
  size_t OnBytes(std::string_view bytes, bool) override { return bytes.size(); }
  void OnLastByte(std::string_view) override {}
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view) override {}
  void OnClosed(CloseReason, std::string_view) override {}
};

}  // namespace

void SendAway(SocketConnection& connection, std::string reason) {
  auto kick = std::make_shared<std::string>();
  AppendFrame(connection.framed(), *kick, [&](std::string& out) { pomelo::AppendKick(reason, out); });
  connection.Start(std::make_unique<Deaf>());
  connection.Send(std::move(kick));
  connection.Close(CloseReason::kRefused, std::move(reason));
}

}  // namespace hubbub::net
