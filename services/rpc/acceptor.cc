#include "services/rpc/acceptor.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

// Between two tries while the process or the machine has no descriptor left. New connections wait until then.
constexpr int kPauseMs = 100;
// Then it looks whether it is to stop.
constexpr int kAtOnce = 64;
// An address that is free may have a port that is not, if the port is the first address's choice.
constexpr int kTriesOfAnyPort = 10;

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  void SetPort(uint16_t port) {
    if (family() == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
    } else {
      reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
    }
  }
  // The bytes of the address that tell one machine from another.
  std::string Machine() const {
    if (family() == AF_INET) {
      const in_addr& ip = reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr;
      return {reinterpret_cast<const char*>(&ip), sizeof ip};
    }
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
    return {reinterpret_cast<const char*>(&ip), IN6_IS_ADDR_V4MAPPED(&ip) ? sizeof ip : sizeof ip / 2};
  }
  uint16_t port() const {
    return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port
                                      : reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  }
};

Address AllOf(int family) {
  Address address;
  address.storage.ss_family = static_cast<sa_family_t>(family);
  address.size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return address;
}

std::vector<Address> Resolve(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  std::vector<Address> addresses;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    Address& address = addresses.emplace_back();
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
  }
  freeaddrinfo(found);
  return addresses;
}

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

// A socket that listens on `address`; -1 and errno if there is none. What is set here holds for those that it
// accepts too.
int ListenOn(Address address, uint16_t port, bool dual_stack, int keepalive_timeout_ms) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // A port on which earlier connections linger is free; a port on which another process listens is not.
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual_stack ? 0 : 1);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, keepalive_timeout_ms);
  address.SetPort(port);
  if (bind(fd, address.get(), address.size) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

uint16_t PortOf(int fd) {
  Address address;
  address.size = sizeof address.storage;
  return getsockname(fd, address.get(), &address.size) == 0 ? address.port() : uint16_t{0};
}

bool IsWildcard(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::" || host == "[::]";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const Options& options) {
  absl::Status status;
  for (int i = 0; i < (options.port == 0 ? kTriesOfAnyPort : 1); ++i) {
    std::unique_ptr<Acceptor> acceptor(new Acceptor(options));
    status = acceptor->Open();
    if (status.ok()) return acceptor;
  }
  return status;
}

absl::Status Acceptor::Open() {
  const auto fail = [this](std::string_view why) {
    return absl::UnavailableError(
        fmt::format("cannot serve gRPC on {}:{}: {}", options_.host, options_.port, why));
  };
  port_ = options_.port;
  int error = 0;
  const auto listen_on = [&](const Address& address, bool dual_stack) {
    const int fd = ListenOn(address, port_, dual_stack, options_.keepalive_timeout_ms);
    if (fd < 0) {
      error = errno;
      return false;
    }
    listeners_.push_back(fd);
    port_ = PortOf(fd);
    return true;
  };
  // Shared in silence, a port would give each program a part of the calls: one address in use is an error,
  // whatever becomes of the others.
  if (IsWildcard(options_.host)) {
    // A machine may have no IPv6.
    if (!listen_on(AllOf(AF_INET6), true) && error != EADDRINUSE) listen_on(AllOf(AF_INET), false);
  } else {
    const std::vector<Address> addresses = Resolve(options_.host);
    if (addresses.empty()) return fail("the host does not resolve");
    for (const Address& address : addresses) {
      if (!listen_on(address, false) && error == EADDRINUSE) break;
    }
  }
  if (error == EADDRINUSE) return fail("another program has this port");
  if (listeners_.empty()) return fail(std::system_category().message(error));
  stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return stop_ < 0 ? fail(std::system_category().message(errno)) : absl::OkStatus();
}

void Acceptor::Start(OnConnection on_connection) {
  on_connection_ = std::move(on_connection);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "grpc-accept");
}

void Acceptor::Stop() {
  if (thread_.joinable()) {
    eventfd_write(stop_, 1);
    thread_.join();
  }
  for (const int fd : std::exchange(listeners_, {})) close(fd);
}

Acceptor::~Acceptor() {
  Stop();
  if (stop_ >= 0) close(stop_);
}

void Acceptor::Run() {
  std::vector<pollfd> waiting = {{.fd = stop_, .events = POLLIN, .revents = 0}};
  for (const int fd : listeners_) waiting.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  bool pausing = false;
  while (true) {
    // In a pause a listener is readable all the time.
    poll(waiting.data(), pausing ? 1 : waiting.size(), pausing ? kPauseMs : -1);
    if (waiting[0].revents != 0) return;
    pausing = false;
    for (const int fd : listeners_) pausing = !AcceptFrom(fd) || pausing;
  }
}

bool Acceptor::AcceptFrom(int listener) {
  for (int i = 0; i < kAtOnce; ++i) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Take(listener, fd);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) return true;
    // A connection's own, which has ended before it was accepted; see accept(2).
    if (error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM) continue;
    // EMFILE and the like.
    if (lines_.Admit("accept", LineLimit::Clock::now())) {
      spdlog::warn("cannot accept a gRPC connection on port {}: {}; trying again every {} ms", port_,
                   std::system_category().message(error), kPauseMs);
    }
    return false;
  }
  return true;
}

void Acceptor::Take(int listener, int fd) {
  // A connection that has ended already has no address, and gRPC would log an error.
  Address peer;
  peer.size = sizeof peer.storage;
  if (getpeername(fd, peer.get(), &peer.size) != 0) {
    close(fd);
    return;
  }
  std::string machine = peer.Machine();
  if (!open_.FewerThan(static_cast<size_t>(options_.max_connections))) {
    close(fd);
    return SayFull("full", options_.max_connections, "");
  }
  if (!open_.FewerThan(static_cast<size_t>(options_.max_per_address), machine)) {
    close(fd);
    return SayFull("full of one", options_.max_per_address, " from one address");
  }
  open_.Add(fd, std::move(machine));
  on_connection_(listener, fd);
}

void Acceptor::SayFull(std::string_view source, int most, std::string_view whose) {
  if (const auto left_out = lines_.Admit(source, LineLimit::Clock::now()))
    spdlog::warn("full: the gRPC port {} has {} connections{}; further ones are closed at once{}", port_,
                 most, whose, *left_out == 0 ? "" : fmt::format(", {} so far", *left_out));
}

}  // namespace hubbub::rpc
