// What it costs to write to clients, over real sockets of the loopback: by a connection, and by nothing but
// the system call, which is the floor under every delivery.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "services/net/frame.h"
#include "services/net/listener.h"
#include "services/net/testing/routes.h"
#include "services/net/testing/test_certificate.h"
#include "services/net/testing/tls_client.h"
#include "services/net/tls_context.h"
#include "services/testing/tcp_client.h"
#include "services/testing/web_socket_client.h"
#include "spdlog/spdlog.h"

namespace hubbub::net {
namespace {

using testing::TcpClient;
using testing::WebSocketClient;

constexpr size_t kPayloadBytes = 150;  // A message of 64 bytes as JSON clients get it.
constexpr const char* kUpgrade =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

double ThreadSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Reads what comes and forgets it, until the other side closes.
class Drain {
 public:
  explicit Drain(TcpClient& client)
      : thread_([&client] {
          while (client.Read(kAtOnce).size() == kAtOnce) continue;
        }) {}
  ~Drain() { thread_.join(); }

 private:
  static constexpr size_t kAtOnce = size_t{64} * 1024;
  std::thread thread_;
};

class Silent final : public Protocol {
 public:
  size_t OnBytes(std::string_view bytes, bool) override { return bytes.size(); }
  void OnLastByte(std::string_view) override {}
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view) override {}
  void OnClosed(CloseReason, std::string_view) override {}
};

// So many turns of the loop, each of which sends the payloads of one write.
void Turns(Loop& loop, Connection& connection, const Payload& payload, int64_t payloads, int turns,
           std::promise<void>& done) {
  if (turns == 0) return done.set_value();
  // A reader that is slower would be cut in the end.
  const bool sends = !connection.Stalled();
  for (int64_t i = 0; sends && i < payloads; ++i) connection.Send(payload);
  loop.Post([&loop, &connection, &payload, payloads, left = turns - (sends ? 1 : 0), &done] {
    Turns(loop, connection, payload, payloads, left, done);
  });
}

// A certificate for a key of P-256.
struct BenchTls {
  // Its own line would come between the results.
  BenchTls() : context((spdlog::set_level(spdlog::level::warn), TlsContext::Open(files.files()).value())) {}

  TestCertificateFiles files{MakeTestCertificate("bench.example")};
  std::unique_ptr<TlsContext> context;
};

// A WebSocket session is sent state.range(0) payloads in each turn of its loop; through TLS if state.range(1)
// is
// 1. The CPU time is that of the loop's thread, without the client's.
void BM_SessionWrite(benchmark::State& state) {
  constexpr int kTurns = 1000;
  Loops loops(1);
  std::promise<Connection*> connected;
  const ProtocolFactory protocol = {.make = [&connected](Loop&, Connection& connection) {
    connected.set_value(&connection);
    return std::make_unique<Silent>();
  }};
  const BenchTls tls;
  const bool secure = state.range(1) == 1;
  auto listener = Listener::Start(loops, {.host = "127.0.0.1", .tls = secure ? tls.context.get() : nullptr},
                                  protocol, RoutesOf(protocol));
  if (!listener.ok()) return state.SkipWithError("no port to listen on");
  std::optional<WebSocketClient> plain;
  std::optional<TlsClient> encrypted;
  if (secure) {
    encrypted.emplace((*listener)->port()).Send(kUpgrade);
    encrypted->ReadUntil("\r\n\r\n");
  } else {
    plain.emplace((*listener)->port());
  }
  // What comes is not decrypted.
  const Drain drain(secure ? encrypted->socket() : plain->socket());
  Connection& connection = *connected.get_future().get();
  std::string frame;
  AppendFrame(connection.framed() ? Framing::kBinary : Framing::kNone, frame,
              [](std::string& out) { out.append(kPayloadBytes, 'x'); });
  const auto payload = std::make_shared<const std::string>(std::move(frame));
  for (auto _ : state) {
    std::promise<void> done;
    double before = 0;
    loops.at(0).Post([&] { before = ThreadSeconds(); });
    loops.at(0).Post([&] { Turns(loops.at(0), connection, payload, state.range(0), kTurns, done); });
    done.get_future().wait();
    std::promise<double> after;
    loops.at(0).Post([&] { after.set_value(ThreadSeconds()); });
    state.SetIterationTime(after.get_future().get() - before);
  }
  state.SetItemsProcessed(state.iterations() * kTurns * state.range(0));
  listener->reset();
}
BENCHMARK(BM_SessionWrite)->ArgsProduct({{1, 8, 62}, {0, 1}})->UseManualTime();

// A client comes by TLS, with a ticket if state.range(0) is 1, and goes: the CPU time of the server's loop.
void BM_TlsHandshake(benchmark::State& state) {
  Loops loops(1);
  const ProtocolFactory protocol = {.make = [](Loop&, Connection&) { return std::make_unique<Silent>(); }};
  const BenchTls tls;
  auto listener =
      Listener::Start(loops, {.host = "127.0.0.1", .tls = tls.context.get()}, protocol, RoutesOf(protocol));
  if (!listener.ok()) return state.SkipWithError("no port to listen on");
  const auto cpu = [&] {
    std::promise<double> now;
    loops.at(0).Post([&] { now.set_value(ThreadSeconds()); });
    return now.get_future().get();
  };
  const auto visit = [&](std::shared_ptr<ssl_session_st> session) {
    TlsClient client((*listener)->port(), {.session = std::move(session)});
    client.Send("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    client.ReadToEnd();
    return client.session();
  };
  auto session = visit(nullptr);
  for (auto _ : state) {
    const double before = cpu();
    session = visit(state.range(0) == 1 ? session : nullptr);
    state.SetIterationTime(cpu() - before);
  }
  state.SetItemsProcessed(state.iterations());
  listener->reset();
}
BENCHMARK(BM_TlsHandshake)->Arg(0)->Arg(1)->UseManualTime();

// Connections of the loopback: their near ends to send to, and a thread that reads at their far ends.
class Receivers {
 public:
  explicit Receivers(size_t count) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, any, size) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
        ::getsockname(listener, any, &size) != 0)
      throw std::runtime_error("no port to listen on");
    for (size_t i = 0; i < count; ++i) {
      const int far = ::socket(AF_INET, SOCK_STREAM, 0);
      if (::connect(far, any, size) != 0) throw std::runtime_error("no connection");
      far_.push_back({.fd = far, .events = POLLIN, .revents = 0});
      near_.push_back(::accept(listener, nullptr, nullptr));
      const int on = 1;
      ::setsockopt(near_.back(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ::close(listener);
    reader_ = std::thread([this] { Read(); });
  }
  ~Receivers() {
    for (const int socket : near_) ::close(socket);
    reader_.join();
    for (const pollfd& one : far_) ::close(one.fd);
  }
  Receivers(const Receivers&) = delete;
  Receivers& operator=(const Receivers&) = delete;

  void SendToAll() {
    static const std::string bytes(kPayloadBytes, 'x');
    for (const int socket : near_) ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

 private:
  void Read() {
    std::vector<char> bytes(size_t{64} * 1024);
    while (::poll(far_.data(), far_.size(), -1) > 0) {
      for (const pollfd& one : far_) {
        if (one.revents != 0 && ::recv(one.fd, bytes.data(), bytes.size(), 0) <= 0) return;
      }
    }
  }

  std::vector<int> near_;
  std::vector<pollfd> far_;
  std::thread reader_;
};

// The system call alone, as the scenario calm needs it: once for each of state.range(0) sockets, then nothing
// for state.range(1) milliseconds. The thread's CPU time, with that of its falling asleep and its waking.
void BM_BareSend(benchmark::State& state) {
  Receivers receivers(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    const double before = ThreadSeconds();
    if (state.range(1) > 0) std::this_thread::sleep_for(std::chrono::milliseconds(state.range(1)));
    receivers.SendToAll();
    state.SetIterationTime(ThreadSeconds() - before);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_BareSend)->Args({100, 0})->Args({100, 16})->Args({17, 16})->UseManualTime()->Iterations(200);

}  // namespace
}  // namespace hubbub::net
