#include "services/net/listener.h"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "boost/asio/basic_socket_acceptor.hpp"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "fmt/format.h"
#include "services/net/listening.h"
#include "services/net/newcomer.h"
#include "services/net/set_up.h"
#include "services/net/socket_state.h"
#include "spdlog/spdlog.h"

namespace hubbub::net {

using Tcp = asio::ip::tcp;

class Listener::Impl {
 public:
  Impl(Loops& loops, SetUp setup)
      : accept_loop_(loops.at(0)),
        setup_(std::make_shared<const SetUp>(WithSets(std::move(setup), loops))),
        sets_(setup_->sets),
        seats_(setup_->seats),
        acceptor_(accept_loop_.executor()),
        pause_(accept_loop_.executor()) {}

  absl::Status Open() {
    if (absl::Status status = ListenOn(acceptor_, setup_->options.host, setup_->options.port); !status.ok())
      return status;
    AskSilentClients(acceptor_.native_handle());
    boost::system::error_code error;
    // Clients have it from here. Without it, the system keeps up to 4 MiB for a client that does not read.
    acceptor_.set_option(asio::socket_base::send_buffer_size(kSendBuffer), error);
    port_ = acceptor_.local_endpoint(error).port();
    for (auto& set : sets_) set->loop().Post([set] { set->Start(); });
    accept_loop_.Post([this] { Accept(); });
    return absl::OkStatus();
  }

  uint16_t port() const { return port_; }
  int connections() const { return seats_->taken(); }
  bool full() const { return seats_->taken() >= seats_->capacity(); }
  void OnFullChange(std::function<void()> listener) { seats_->OnFullChange(std::move(listener)); }
  Traffic traffic() const {
    Traffic sum;
    for (const auto& set : sets_) sum.Add(set->traffic());
    return sum;
  }

  void Drain(std::string_view reason) {
    // Where clients are accepted, so that all who have a place are on their way to their loops.
    RunOn(accept_loop_, [&] { seats_->Drain(std::string(reason)); });
    for (auto& set : sets_) RunOn(set->loop(), [set] { set->MakeArrivalsGuests(); });
  }

  void CloseAll(std::string_view detail, std::chrono::milliseconds timeout) {
    // The last batch has half of the time to end.
    const auto rounds = std::max<int64_t>(1, timeout / 2 / kCloseEvery);
    const size_t batch = kCloseAtOnce + static_cast<size_t>(connections() / rounds);
    const auto end = Clock::now() + timeout;
    while (connections() > 0 && Clock::now() < end) {
      for (auto& set : sets_) {
        set->loop().Post([set, batch, text = std::string(detail)] { set->CloseSome(batch, text); });
      }
      WaitFor(kCloseEvery, [this] { return connections() == 0; });
    }
  }

  ~Impl() {
    RunOn(accept_loop_, [this] {
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
    });
    for (auto& set : sets_) RunOn(set->loop(), [set] { set->AbortAll(); });
    WaitFor(std::chrono::seconds(5),
            [this] { return connections() == 0 && seats_->guests() == 0 && seats_->kept() == 0; });
    OnFullChange(nullptr);
  }

 private:
  static constexpr int kSendBuffer =
      256 * 1024;  // Linux takes twice that, for what it needs beside the bytes.
  // A batch of a drain: at least so many of a loop's connections, so often.
  static constexpr size_t kCloseAtOnce = 50;
  static constexpr std::chrono::milliseconds kCloseEvery{50};

  static SetUp WithSets(SetUp setup, Loops& loops) {
    WaitingByLoop& waiting = setup.options.waiting;
    if (waiting.empty()) waiting = BoundWaiting(loops.size(), setup.options.max_waiting_bytes);
    for (int i = 0; i < loops.size(); ++i)
      setup.sets.push_back(std::make_shared<ConnectionSet>(loops.at(i), setup.options.patience,
                                                           waiting[static_cast<size_t>(i)]));
    return setup;
  }

  void Accept() {
    accept_loop_.AssertHere();
    ConnectionSet& set = *sets_[next_];
    acceptor_.async_accept(
        set.loop().executor(), peer_, [this](boost::system::error_code error, Socket socket) {
          // Aborted: this object may be gone.
          if (error == asio::error::operation_aborted) return;
          accept_loop_.AssertHere();
          if (!acceptor_.is_open()) return;
          if (error) return OnAcceptError(error);
          const auto& chosen = sets_[std::exchange(next_, (next_ + 1) % sets_.size())];
          const bool by_proxy = setup_->options.trusted_proxies.Contain(peer_.address());
          auto ticket = seats_->Take(by_proxy ? Seats::kAnyMachine : MachineOf(peer_.address()));
          TellIfFull();
          // The loop's own thread starts the operations: its sockets are touched there alone.
          if (ticket) {
            chosen->loop().Post(
                [chosen, setup = setup_, own = *std::move(ticket), socket = std::move(socket), by_proxy,
                 peer = fmt::format("{}:{}", AddressText(peer_.address()), peer_.port())]() mutable {
                  if (chosen->ended()) return;
                  std::make_shared<Newcomer>(std::make_shared<Arrival>(chosen, std::move(own),
                                                                       ClientStream(std::move(socket)),
                                                                       std::move(peer), by_proxy, setup))
                      ->Start();
                });
          }
          Accept();
        });
  }

  // Once each time.
  void TellIfFull() {
    accept_loop_.AssertHere();
    if (full_ == full()) return;
    full_ = !full_;
    if (full_) spdlog::warn("full: {} connections; further clients are turned away", connections());
  }

  // EMFILE and the like come at once again, so without a pause the loop would spin.
  void OnAcceptError(boost::system::error_code error) {
    spdlog::warn("cannot accept a client: {}; trying again in 100 ms", error.message());
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled && acceptor_.is_open()) Accept();
    });
  }

  // Runs `function` on the loop and waits for it. Not for use on a loop.
  template <typename Function>
  static void RunOn(Loop& loop, Function function) {
    // Shared: the loop may still be inside set_value when the waiting thread goes on.
    const auto done = std::make_shared<std::promise<void>>();
    loop.Post([&function, done] {
      function();
      done->set_value();
    });
    done->get_future().wait();
  }

  // Polls, because it runs once in a process's life and the counter is all that the loops need to touch.
  template <typename Condition>
  static void WaitFor(std::chrono::milliseconds timeout, Condition condition) {
    const auto end = Clock::now() + timeout;
    while (!condition() && Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

  Loop& accept_loop_;
  const std::shared_ptr<const SetUp> setup_;
  const std::vector<std::shared_ptr<ConnectionSet>>& sets_;  // Of setup_.
  const std::shared_ptr<Seats> seats_;
  uint16_t port_ = 0;

  // Used on accept_loop_ alone, once it is open.
  asio::basic_socket_acceptor<Tcp, Executor> acceptor_;
  Timer pause_;
  size_t next_ ABSL_GUARDED_BY(accept_loop_) = 0;
  Tcp::endpoint peer_ ABSL_GUARDED_BY(accept_loop_);  // The client that was accepted last.
  bool full_ ABSL_GUARDED_BY(accept_loop_) = false;
};

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(Loops& loops, ListenerOptions options,
                                                          ProtocolFactory tcp, HttpRouter router) {
  auto seats = std::make_shared<Seats>(options.max_connections, options.max_per_machine);
  router.Add(std::string(kHealthPath),
             {.handler = [seats](const HttpRequest&) { return HealthResponse(seats->draining()); },
              .for_guests = true,
              .any_host = true});
  auto impl = std::make_unique<Impl>(
      loops, SetUp{std::move(options), std::move(tcp), std::move(router), std::move(seats)});
  if (absl::Status status = impl->Open(); !status.ok()) return status;
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;
uint16_t Listener::port() const {
  return impl_->port();
}
int Listener::connections() const {
  return impl_->connections();
}
Traffic Listener::traffic() const {
  return impl_->traffic();
}
bool Listener::full() const {
  return impl_->full();
}
void Listener::OnFullChange(std::function<void()> listener) {
  impl_->OnFullChange(std::move(listener));
}
void Listener::Drain(std::string_view reason) {
  impl_->Drain(reason);
}
void Listener::CloseAll(std::string_view detail, std::chrono::milliseconds timeout) {
  impl_->CloseAll(detail, timeout);
}

}  // namespace hubbub::net
