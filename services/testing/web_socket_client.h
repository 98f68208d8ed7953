#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/testing/tcp_client.h"

namespace hubbub::testing {

// A WebSocket client for tests, written from RFC 6455 alone, so that it does not share the server's mistakes.
// Thread-compatible; errors as TcpClient's.
class WebSocketClient {
 public:
  enum class Kind : uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10, kEnd = 255 };
  struct Frame {
    Kind kind = Kind::kEnd;  // kEnd: the server has closed the socket.
    std::string body;
  };

  // Connects and shakes hands. `receive_buffer`: TcpClient's.
  explicit WebSocketClient(uint16_t port, std::string_view path = "/", int receive_buffer = 0);

  void Send(std::string_view body, Kind kind = Kind::kBinary);
  Frame Read();
  // The server's answer to the request to upgrade.
  const std::string& head() const { return head_; }
  TcpClient& socket() { return socket_; }

 private:
  TcpClient socket_;
  std::string head_;
};

// The code and the reason of a close frame's body, such as "1000 bye".
std::string CloseText(const WebSocketClient::Frame& frame);

}  // namespace hubbub::testing
