#include "chat/store/testing/tcp_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "services/base/clock.h"

namespace hubbub::chat {
namespace {

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

void SetUp(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  fcntl(socket, F_SETFL, O_NONBLOCK);
}

}  // namespace

TcpProxy::TcpProxy(int server_port)
    : server_port_(server_port), waker_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = Local(0);
  socklen_t size = sizeof(address);
  // A test without its proxy has nothing to say.
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

TcpProxy::~TcpProxy() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  Wake();
  thread_.join();
  Cut();
  close(listener_);
  close(waker_);
}

int TcpProxy::connections() const {
  MutexLock lock(mutex_);
  return static_cast<int>(links_.size());
}

void TcpProxy::Swallow(Way way, bool on) {
  MutexLock lock(mutex_);
  swallows_[way] = on;
  Wake();
}

void TcpProxy::Hold(Way way, bool on) {
  MutexLock lock(mutex_);
  holds_[way] = on;
  Wake();
}

void TcpProxy::Delay(Way way, int ms) {
  MutexLock lock(mutex_);
  delay_ms_[way] = ms;
}

void TcpProxy::Refuse(bool on) {
  MutexLock lock(mutex_);
  refuses_ = on;
}

void TcpProxy::Cut() {
  MutexLock lock(mutex_);
  for (Link& link : links_) {
    for (int& socket : link.sockets) Reset(socket);
  }
  links_.clear();
}

void TcpProxy::CutClients() {
  MutexLock lock(mutex_);
  for (Link& link : links_) {
    Read(link, kToServer);  // What the client has sent until now counts.
    Reset(link.sockets[kToClient]);
    link.ended[kToServer] = true;
  }
  Wake();
}

void TcpProxy::Run() {
  while (true) {
    std::vector<pollfd> wanted;
    int timeout = -1;
    {
      MutexLock lock(mutex_);
      if (stopped_) return;
      timeout = Turn();
      wanted = {{.fd = waker_, .events = POLLIN, .revents = 0},
                {.fd = listener_, .events = POLLIN, .revents = 0}};
      for (const Link& link : links_) {
        for (const Way way : {kToServer, kToClient}) {
          // A socket that has ended is always ready, and has nothing to say.
          const Way back = way == kToServer ? kToClient : kToServer;
          short events = link.ended[back] ? 0 : POLLIN;
          if (!link.waiting[way].empty() && !holds_[way] && link.waiting[way].front().due_ms <= SteadyNowMs())
            events |= POLLOUT;
          if (events != 0) wanted.push_back({.fd = link.sockets[way], .events = events, .revents = 0});
        }
      }
    }
    poll(wanted.data(), wanted.size(), timeout);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(waker_, &count, sizeof(count));
  }
}

int TcpProxy::Turn() {
  Accept();
  int64_t next = -1;
  const int64_t now = SteadyNowMs();
  for (auto link = links_.begin(); link != links_.end();) {
    for (const Way way : {kToServer, kToClient}) {
      Read(*link, way);
      Write(*link, way);
      if (!link->waiting[way].empty() && !holds_[way] && link->waiting[way].front().due_ms > now) {
        const int64_t left = link->waiting[way].front().due_ms - now;
        next = next < 0 ? left : std::min(next, left);
      }
    }
    // Both sides have been told all that there was to tell, or one has gone and nothing waits for the other.
    const bool done = (link->told[kToServer] && link->told[kToClient]) ||
                      (link->sockets[kToClient] < 0 && link->waiting[kToServer].empty()) ||
                      (link->sockets[kToServer] < 0 && link->waiting[kToClient].empty());
    if (!done) {
      ++link;
      continue;
    }
    for (const int socket : link->sockets) {
      if (socket >= 0) close(socket);
    }
    link = links_.erase(link);
  }
  return static_cast<int>(next);
}

void TcpProxy::Accept() {
  while (true) {
    int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    int server = refuses_ ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Local(server_port_);
    if (server < 0 || connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      Reset(server);
      Reset(client);
      continue;
    }
    SetUp(client);
    SetUp(server);
    Link& link = links_.emplace_back();
    link.sockets[kToServer] = server;
    link.sockets[kToClient] = client;
  }
}

void TcpProxy::Read(Link& link, Way way) {
  int& from = link.sockets[way == kToServer ? kToClient : kToServer];
  while (!link.ended[way] && from >= 0) {
    char buffer[16 * 1024];
    const ssize_t count = recv(from, buffer, sizeof(buffer), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      link.ended[way] = true;
      if (count < 0) Reset(from);
      return;
    }
    seen_[way] += static_cast<uint64_t>(count);
    if (!swallows_[way]) {
      link.waiting[way].push_back(
          {SteadyNowMs() + delay_ms_[way], std::string(buffer, static_cast<size_t>(count))});
    }
  }
}

void TcpProxy::Write(Link& link, Way way) {
  int& to = link.sockets[way];
  while (!link.waiting[way].empty() && !holds_[way] && link.waiting[way].front().due_ms <= SteadyNowMs()) {
    std::string& bytes = link.waiting[way].front().bytes;
    const ssize_t count = to < 0 ? -1 : send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && to >= 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {
      link.waiting[way].clear();
      break;
    }
    bytes.erase(0, static_cast<size_t>(count));
    if (bytes.empty()) link.waiting[way].pop_front();
  }
  // An end that is swallowed is not told either.
  if (!link.ended[way] || link.told[way] || !link.waiting[way].empty() || holds_[way] || swallows_[way])
    return;
  if (to >= 0) shutdown(to, SHUT_WR);
  link.told[way] = true;
}

void TcpProxy::Reset(int& socket) {
  if (socket < 0) return;
  // Sends the RST now: close() alone would wait until the thread that polls the socket lets go of it.
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  (void)connect(socket, &nobody, sizeof(nobody));
  close(std::exchange(socket, -1));
}

void TcpProxy::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(waker_, &one, sizeof(one));
}

}  // namespace hubbub::chat
