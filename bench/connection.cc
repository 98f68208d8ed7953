#include "bench/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <system_error>

namespace hubbub::bench {
namespace {

// What one client may have waiting to be sent: a server that takes nothing must not fill this machine's
// memory.
constexpr size_t kMaxOut = 4 << 20;
// A package is at most 16 MiB on the wire; no chat server needs more than this.
constexpr size_t kMaxRest = 1 << 20;

absl::Status Failed(const Endpoint& server, const std::string& what, int error) {
  return absl::UnavailableError(what + " " + ToString(server) + ": " + std::system_category().message(error));
}

sockaddr_in AddressOf(uint32_t ip, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

absl::Status Connection::Open(int epoll, uint64_t tag, const Endpoint& server, uint32_t source_ip,
                              const Opening& opening) {
  Close();
  epoll_ = epoll;
  tag_ = tag;
  server_ = server;
  connected_ = upgraded_ = watching_writable_ = unwanted_ = false;
  payload_ = opening.payload;
  reader_ = FrameReader(payload_);
  rest_.clear();
  out_.clear();
  out_sent_ = 0;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Failed(server_, "no socket for", errno);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in source = AddressOf(source_ip, 0);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
    return Failed(server_, "no local address to connect from to", errno);
  }
  const sockaddr_in address = AddressOf(server.ip, server.port);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    return Failed(server_, "cannot connect to", errno);
  }
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.u64 = tag_}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) return Failed(server_, "epoll refuses", errno);
  watching_writable_ = true;
  out_ = UpgradeRequest(ToString(server), opening.target);
  return absl::OkStatus();
}

absl::Status Connection::OnReady(uint32_t events, std::span<char> scratch, Handler& handler) {
  if (closed()) return absl::OkStatus();  // An event from before it was closed.
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Failed(server_, "cannot connect to", error);
    if ((events & EPOLLOUT) == 0) return absl::OkStatus();
    connected_ = true;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    if (absl::Status status = Read(scratch, handler); !status.ok()) return status;
  }
  return Flush();
}

absl::Status Connection::Read(std::span<char> scratch, Handler& handler) {
  std::memcpy(scratch.data(), rest_.data(), rest_.size());
  const ssize_t got = recv(fd_, scratch.data() + rest_.size(), scratch.size() - rest_.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return absl::OkStatus();
  if (got < 0) return Failed(server_, "lost the connection to", errno);
  if (got == 0) return absl::UnavailableError("the server " + ToString(server_) + " closed the connection");
  handler.OnRead();
  std::string_view bytes(scratch.data(), rest_.size() + static_cast<size_t>(got));
  if (!upgraded_) {
    const int64_t head = UpgradeAnswer(bytes);
    if (head < 0) {
      return absl::UnavailableError("the server " + ToString(server_) + " refused the WebSocket: " +
                                    std::string(bytes.substr(0, bytes.find('\r'))));
    }
    if (head > 0) {
      bytes.remove_prefix(static_cast<size_t>(head));
      upgraded_ = true;
      handler.OnOpen();
    }
  }
  if (upgraded_) {
    if (absl::Status status = TakePackages(bytes, handler); !status.ok()) return status;
  }
  if (bytes.size() > kMaxRest)
    return absl::OutOfRangeError("the server " + ToString(server_) + " sent a package above 1 MiB");
  rest_.assign(bytes);
  return absl::OkStatus();
}

absl::Status Connection::TakePackages(std::string_view& bytes, Handler& handler) {
  pomelo::Package package;
  while (!unwanted_) {
    switch (reader_.Next(bytes, package)) {
      case FrameReader::Item::kPackage:
        unwanted_ = !handler.OnPackage(package);
        break;
      case FrameReader::Item::kPing:
        AppendPong(package.body, out_);
        break;
      case FrameReader::Item::kNeedMore:
        return absl::OkStatus();
      case FrameReader::Item::kClose:
        return absl::UnavailableError(
            "the server " + ToString(server_) + " closed the WebSocket: " +
            std::string(package.body.substr(std::min<size_t>(2, package.body.size()))));
      case FrameReader::Item::kError:
        return absl::InvalidArgumentError(ToString(server_) + ": " + reader_.error());
    }
  }
  bytes = {};
  return absl::OkStatus();
}

absl::Status Connection::Flush() {
  if (closed() || !connected_) return absl::OkStatus();
  while (out_sent_ < out_.size()) {
    const ssize_t sent = send(fd_, out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return Failed(server_, "lost the connection to", errno);
    if (sent < 0) break;
    out_sent_ += static_cast<size_t>(sent);
  }
  if (out_sent_ == out_.size()) {
    out_.clear();
    out_sent_ = 0;
  } else if (out_.size() - out_sent_ > kMaxOut) {
    return absl::ResourceExhaustedError("the server " + ToString(server_) + " does not read what it is sent");
  }
  Watch(!out_.empty());
  return absl::OkStatus();
}

void Connection::Watch(bool writable) {
  if (writable == watching_writable_) return;
  watching_writable_ = writable;
  epoll_event event{.events = EPOLLIN | (writable ? EPOLLOUT : 0u), .data = {.u64 = tag_}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
}

void Connection::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace hubbub::bench
