#include "services/testing/tcp_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace hubbub::testing {
namespace {

constexpr int kDeadlineMs = 20'000;

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::system_category().message(errno));
}

}  // namespace

TcpClient::TcpClient(uint16_t port, int receive_buffer) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) Fail("no socket");
  if (receive_buffer > 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int no_delay = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    Close();
    errno = error;
    Fail("cannot connect to port " + std::to_string(port));
  }
}

TcpClient::~TcpClient() {
  Close();
}

void TcpClient::Close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void TcpClient::Reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  Close();
}

void TcpClient::EndSending() {
  ::shutdown(socket_, SHUT_WR);
}

void TcpClient::Wait(short event) {
  pollfd poll{.fd = socket_, .events = event, .revents = 0};
  const int ready = ::poll(&poll, 1, kDeadlineMs);
  if (ready == 0) throw std::runtime_error("the server did nothing within 20 seconds");
  if (ready < 0 && errno != EINTR) Fail("poll");
}

size_t TcpClient::SendSome(std::string_view bytes) {
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<size_t>(sent) : 0;
}

void TcpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    Wait(POLLOUT);
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    // The server has closed: what it said last is still to be read.
    if (sent < 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string TcpClient::Read(size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    Wait(POLLIN);
    char piece[4096];
    const ssize_t read = ::recv(socket_, piece, std::min(sizeof piece, size - bytes.size()), MSG_DONTWAIT);
    if (read < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (read <= 0) break;
    bytes.append(piece, static_cast<size_t>(read));
  }
  return bytes;
}

std::string TcpClient::ReadUntil(std::string_view end) {
  std::string bytes;
  while (bytes.find(end) == std::string::npos) {
    const std::string byte = Read(1);
    if (byte.empty()) break;
    bytes += byte;
  }
  return bytes;
}

std::string TcpClient::ReadToEnd() {
  return Read(SIZE_MAX);
}

}  // namespace hubbub::testing
