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

// Closes at the first word.
class Unwelcome final : public Protocol {
 public:
  explicit Unwelcome(Connection& connection) : connection_(connection) {}
  size_t OnBytes(std::string_view bytes, bool) override {
    connection_.Close(CloseReason::kRefused, "this port speaks HTTP alone");
    return bytes.size();
  }
  void OnLastByte(std::string_view detail) override {
    connection_.Close(CloseReason::kClientLeft, std::string(detail));
  }
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view detail) override {
    connection_.Close(CloseReason::kShutdown, std::string(detail));
  }
  void OnClosed(CloseReason, std::string_view) override {}

 private:
  Connection& connection_;
};

}  // namespace

ProtocolFactory HttpAlone() {
  return {.make = [](Loop&, Connection& connection) { return std::make_unique<Unwelcome>(connection); }};
}

void SendAway(SocketConnection& connection, RefusalBytes refuse, std::string reason) {
  connection.Start(std::make_unique<Deaf>());
  if (refuse != nullptr)
    connection.Send(std::make_shared<const std::string>(refuse(reason, connection.framed())));
  connection.Close(CloseReason::kRefused, std::move(reason));
}

}  // namespace hubbub::net
