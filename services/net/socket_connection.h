#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "boost/asio/basic_stream_socket.hpp"
#include "boost/asio/basic_waitable_timer.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "services/net/client_clock.h"
#include "services/net/connection.h"
#include "services/net/listener.h"
#include "services/net/loop.h"
#include "services/net/seats.h"
#include "services/net/traffic.h"

namespace hubbub::net {

namespace beast = boost::beast;
// The concrete executor type spares each operation the type-erased one (practice.md: 8 to 17 % a message).
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

class SocketConnection;

// What a listener gives to each connection. Constant.
struct SetUp {
  ListenerOptions options;
  ProtocolFactory make_protocol;
  HttpHandler http;
  std::shared_ptr<Seats> seats;
};

// A client that is still being set up.
class Arrival {
 public:
  virtual ~Arrival() = default;
  virtual void GiveUp() = 0;
  // It is still answered, and can not stay: this server drains.
  virtual void BecomeGuest() = 0;
};

// The clients of one loop, and the timer that ticks them all. Loop-only. Shared by its clients.
class ConnectionSet : public std::enable_shared_from_this<ConnectionSet> {
 public:
  ConnectionSet(Loop& loop, const Patience& patience)
      : loop_(loop), patience_(patience), clock_(patience.tick), timer_(loop.executor()) {}

  Loop& loop() { return loop_; }
  const Patience& patience() const { return patience_; }
  // The time by which clients are judged.
  Clock::time_point Now() const { return clock_.At(Clock::now()); }
  // Its values may be read on any thread.
  TrafficCounters& traffic() { return traffic_; }
  // True when the listener has ended: nobody new may start.
  bool ended() const { return ended_; }
  void Insert(Arrival* arrival) { arrivals_.insert(arrival); }
  void Erase(Arrival* arrival) { arrivals_.erase(arrival); }
  void Insert(std::shared_ptr<SocketConnection> connection);
  void Erase(const std::shared_ptr<SocketConnection>& connection);
  void StartTicking();
  // Has the connection write what is queued once this turn of the loop is over: so all that the turn has for
  // a client leaves in one write. Once in a turn for each connection.
  void WriteSoon(std::shared_ptr<SocketConnection> connection);
  // Those who are still being set up can not stay any more.
  void MakeArrivalsGuests();
  // Has so many of the connections that are not closing yet say goodbye.
  void CloseSome(size_t count, const std::string& detail);
  void AbortAll();

 private:
  Loop& loop_;
  const Patience patience_;
  ClientClock clock_;
  TrafficCounters traffic_;
  Timer timer_;
  bool ended_ = false;
  absl::flat_hash_set<Arrival*> arrivals_;
  // Owns each until its end: while one is neither read from nor written to, nothing else does.
  absl::flat_hash_set<std::shared_ptr<SocketConnection>> connections_;
  // Those that have something to write, and, in a vector of its own, those whose turn it is.
  std::vector<std::shared_ptr<SocketConnection>> due_;
  std::vector<std::shared_ptr<SocketConnection>> writing_;
};

// What WebSocket and TCP connections have in common: the queue, the flow control and the end of life. The
// subclasses start operations; this class decides when.
class SocketConnection : public Connection, public std::enable_shared_from_this<SocketConnection> {
 public:
  void Start(std::unique_ptr<Protocol> protocol);

  void Send(Payload payload) final;
  void Pause() final { paused_ = true; }
  void Resume() final;
  void Close(CloseReason reason, std::string detail) final;
  Clock::time_point Now() const final { return client_.set->Now(); }
  bool HasUnread() final;
  bool ShowsLife() final;
  bool Stalled() const final { return queued_bytes_ > kSoftLimit; }
  bool framed() const final { return framed_; }
  std::string_view peer() const final { return client_.peer; }

  // By a subclass that has more to tell of it, too.
  void AllowMessages(size_t bytes) override { buffer_.max_size(bytes); }

  // Has the protocol say goodbye; false if it is closing already.
  bool Shutdown(const std::string& detail);
  // Ends the connection at once, whatever is queued.
  void Abort(CloseReason reason, std::string detail);
  void Tick(Clock::time_point now);
  // Writes what is queued, if nothing is in flight: at once what the socket takes, and the rest when it can.
  void Write();

  // What every client brings along from its set-up.
  struct Client {
    std::shared_ptr<ConnectionSet> set;
    Ticket ticket;
    std::string peer;
  };

 protected:
  SocketConnection(Client client, beast::flat_buffer buffer, bool framed);

  virtual void StartRead() = 0;
  // Writes as much as the socket takes at once; answers how much that was.
  virtual size_t WriteNow(std::span<const asio::const_buffer> buffers) = 0;
  // Writes all. The buffers stay as they are until OnWrite.
  virtual void StartWrite(std::span<const asio::const_buffer> buffers) = 0;
  // Watches for an error while nothing is read: the client has said its last byte, and may be gone.
  virtual void WatchForError() = 0;
  // Says goodbye; ends in OnGoodbye.
  virtual void StartGoodbye(CloseReason reason, const std::string& detail) = 0;
  virtual void CloseSocket() = 0;
  virtual int Handle() = 0;

  // `bytes`: how many have come. `reason` is what an error means.
  void OnRead(boost::system::error_code error, size_t bytes, CloseReason reason = CloseReason::kClientLeft);
  void OnWrite(boost::system::error_code error);
  // The client has ended its side, or will say nothing more: it gets what it is owed.
  void OnLastByte(std::string detail);
  void OnGoodbye();
  bool got_last_byte() const { return got_last_byte_; }
  bool closing() const { return closing_; }

  beast::flat_buffer buffer_;

 private:
  // Asio hands at most so many buffers to one system call.
  static constexpr size_t kMaxGather = 64;
  // A slow client shows with each write that it goes on, so one must not take it too long.
  static constexpr size_t kMaxGatherBytes = size_t{128} * 1024;

  // What the buffer of reads may keep while nothing is in it.
  static constexpr size_t kKeptBytes = size_t{16} * 1024;

  void Offer();
  void Pump();
  void Written();
  void GoOn();
  void SayGoodbye();
  bool HasTakenMore();
  TrafficCounters& traffic() { return client_.set->traffic(); }

  const Client client_;
  const bool framed_;
  std::unique_ptr<Protocol> protocol_;

  bool reading_ = false;
  bool paused_ = false;
  std::vector<Payload> queue_;               // Waits for the write in flight.
  std::vector<Payload> leaving_;             // [first_, first_ + in_flight_) is being written.
  std::vector<asio::const_buffer> buffers_;  // The same as Asio wants it.
  size_t first_ = 0;
  size_t in_flight_ = 0;
  bool write_is_due_ = false;  // The set knows.
  size_t queued_bytes_ = 0;
  bool took_ = false;         // Something, since the last tick.
  uint64_t taken_bytes_ = 0;  // As the system last told it.
  Clock::time_point
      progress_;  // The last tick at which the client had taken something, or had nothing to take.

  // As ShowsLife saw it last.
  uint64_t received_bytes_seen_ = 0;
  uint64_t taken_bytes_seen_ = 0;
  Clock::time_point life_seen_at_;

  bool got_last_byte_ = false;
  bool told_of_last_byte_ = false;
  std::string last_byte_detail_;
  bool told_of_shutdown_ = false;
  bool closing_ = false;
  bool saying_goodbye_ = false;
  bool closed_ = false;
  Clock::time_point close_by_;  // Put off while last bytes are taken, but not beyond end_by_.
  Clock::time_point end_by_;    // Once it is closing, or the client sends no more.
  CloseReason reason_ = CloseReason::kClientLeft;
  std::string detail_;
};

// Looks at the first bytes of a new client, speaks HTTP where it is due, and starts the connection that fits.
// `socket` is bound to the loop of `set`.
void SetUpConnection(std::shared_ptr<ConnectionSet> set, Ticket ticket, Socket socket,
                     std::shared_ptr<const SetUp> setup);

// `read`: what was read from the socket already.
std::shared_ptr<SocketConnection> MakeTcpConnection(SocketConnection::Client client, Socket socket,
                                                    beast::flat_buffer read);

}  // namespace hubbub::net
