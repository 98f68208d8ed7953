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
#include "services/testing/tcp_client.h"
#include "services/testing/web_socket_client.h"

namespace hubbub::net {
namespace {

using testing::TcpClient;
using testing::WebSocketClient;

constexpr size_t kPayloadBytes = 150;  // A message of 64 bytes as JSON clients get it.

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

// A WebSocket session is sent state.range(0) payloads in each turn of its loop.
void BM_SessionWrite(benchmark::State& state) {
  constexpr int kTurns = 1000;
  Loops loops(1);
  std::promise<Connection*> connected;
  const ProtocolFactory protocol = {.make = [&connected](Loop&, Connection& connection) {
    connected.set_value(&connection);
    return std::make_unique<Silent>();
  }};
  auto listener = Listener::Start(loops, {.host = "127.0.0.1"}, protocol, RoutesOf(protocol));
  if (!listener.ok()) return state.SkipWithError("no port to listen on");
  WebSocketClient client((*listener)->port());
  const Drain drain(client.socket());
  Connection& connection = *connected.get_future().get();
  std::string frame;
  AppendFrame(connection.framed() ? Framing::kBinary : Framing::kNone, frame,
              [](std::string& out) { out.append(kPayloadBytes, 'x'); });
  const auto payload = std::make_shared<const std::string>(std::move(frame));
  for (auto _ : state) {
    std::promise<void> done;
    loops.at(0).Post([&] { Turns(loops.at(0), connection, payload, state.range(0), kTurns, done); });
    done.get_future().wait();
  }
  state.SetItemsProcessed(state.iterations() * kTurns * state.range(0));
  listener->reset();
}
BENCHMARK(BM_SessionWrite)->Arg(1)->Arg(8)->Arg(62)->UseRealTime();

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

double ThreadSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

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
