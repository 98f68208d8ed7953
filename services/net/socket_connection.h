#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "boost/asio/buffer.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/system/error_code.hpp"
#include "services/net/client_stream.h"
#include "services/net/connection.h"
#include "services/net/connection_set.h"
#include "services/net/socket.h"
#include "services/net/ticket.h"
#include "services/net/waiting.h"

namespace hubbub::net {

// What WebSocket and TCP connections have in common: the queue, the flow control and the end of life. The
// subclasses start operations; this class decides when.
class SocketConnection : public Connection,
                         public WaitingClient,
                         public std::enable_shared_from_this<SocketConnection> {
 public:
  void Start(std::unique_ptr<Protocol> protocol);

  void Send(Payload payload) final;
  void Pause() final { paused_ = true; }
  void Resume() final;
  void Close(CloseReason reason, std::string detail) final;
  Clock::time_point Now() const final { return client_.set->Now(); }
  bool HasUnread() final;
  bool ShowsLife() final;
  // What its socket does not take.
  size_t waiting_bytes() const final { return waiting_bytes_; }
  void EndAsSlow(std::string detail) final { Abort(CloseReason::kSlow, std::move(detail)); }
  bool Stalled() const final { return queued_bytes_ > kSoftLimit; }
  bool Behind() const final { return queued_bytes_ > kBehindLimit; }
  bool framed() const final { return framed_; }
  std::string_view peer() const final { return client_.peer; }
  std::string TakeBearer() final { return std::exchange(client_.bearer, {}); }

  // A subclass whose stream has a bound of its own overrides this.
  void AllowMessages(size_t bytes) override { buffer_.max_size(bytes); }

  // Makes the protocol say goodbye. False if it was told to before, or if the connection closes already.
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
    std::string bearer = {};
  };

 protected:
  SocketConnection(Client client, beast::flat_buffer buffer, bool framed);

  virtual void StartRead() = 0;
  // Writes as much as the socket takes at once; answers how much that was.
  virtual size_t WriteNow(std::span<const asio::const_buffer> buffers) = 0;
  // Writes all. The buffers stay as they are until OnWrite.
  virtual void StartWrite(std::span<const asio::const_buffer> buffers) = 0;
  // Says goodbye; ends in OnGoodbye.
  virtual void StartGoodbye(CloseReason reason, const std::string& detail) = 0;
  virtual ClientStream& stream() = 0;
  // The connection has closed the socket of stream().
  virtual void OnSocketClosed() {}

  // `bytes`: how many have come. `reason` is what an error means.
  void OnRead(boost::system::error_code error, size_t bytes, CloseReason reason = CloseReason::kClientLeft);
  void OnWrite(boost::system::error_code error);
  // The client sends no more bytes: the connection still writes what it owes the client.
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
  // The queue or what is in flight has changed.
  void CountWaiting();
  void Written();
  void GoOn();
  void SayGoodbye();
  // Watches for an error while nothing is read: the client has said its last byte, and may be gone.
  void WatchForError();
  int Handle() { return stream().next_layer().native_handle(); }
  bool HasTakenMore();
  TrafficCounters& traffic() { return client_.set->traffic(); }

  Client client_;
  const bool framed_;
  std::unique_ptr<Protocol> protocol_;

  bool reading_ = false;
  bool paused_ = false;
  std::vector<Payload> queue_;               // Waits for the write in flight.
  std::vector<Payload> leaving_;             // [first_, first_ + in_flight_) is being written.
  std::vector<asio::const_buffer> buffers_;  // The same as Asio wants it.
  size_t first_ = 0;
  size_t in_flight_ = 0;
  bool write_is_due_ = false;  // WriteSoon was called for the queue.
  size_t queued_bytes_ = 0;    // With kPayloadCost for each payload.
  size_t waiting_bytes_ = 0;   // The same while a write is in flight, as ConnectionSet knows it.
  bool took_ = false;          // The client has taken something since the last tick.
  uint64_t taken_bytes_ = 0;   // By the client, as the system said at the last look.
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

}  // namespace hubbub::net
