#include "services/net/socket_state.h"

// Not netinet/tcp.h, whose tcp_info ends before the numbers that count here.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>

namespace hubbub::net {

std::optional<SocketState> StateOf(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (size < offsetof(tcp_info, tcpi_notsent_bytes) + sizeof info.tcpi_notsent_bytes) return std::nullopt;
  return SocketState{.taken_bytes = info.tcpi_bytes_acked,
                     .received_bytes = info.tcpi_bytes_received,
                     .all_taken = info.tcpi_unacked == 0 && info.tcpi_notsent_bytes == 0,
                     .since_answer = std::chrono::milliseconds(info.tcpi_last_ack_recv)};
}

bool HasUnread(int socket) {
  int bytes = 0;
  return ::ioctl(socket, FIONREAD, &bytes) == 0 && bytes > 0;
}

void AskSilentClients(int socket) {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
  };
  // After 30 seconds of silence, then each 15 seconds, and the end after four without an answer.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

}  // namespace hubbub::net
