#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// A TCP proxy on 127.0.0.1 that does to connections what bad networks do. Its methods are thread-safe; each
// holds for the connections that there are and for later ones, until it is taken back.
class TcpProxy {
 public:
  enum Way { kToServer, kToClient };

  // For a server on 127.0.0.1.
  explicit TcpProxy(int server_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }
  // How many bytes have come for this way, whatever became of them.
  uint64_t seen(Way way) const { return seen_[way]; }
  // How many connections there are.
  int connections() const;

  // Bytes of this way vanish, and both sides believe that they have arrived.
  void Swallow(Way way, bool on);
  // Bytes of this way wait here; those that did go on in their order when it is taken back.
  void Hold(Way way, bool on);
  // Bytes of this way come so much later.
  void Delay(Way way, int ms);
  // New connections are closed at once.
  void Refuse(bool on);
  // Ends all connections, by RST.
  void Cut();
  // Ends the clients' sides alone, by RST. The servers' sides stay open for what is held, until they are cut.
  void CutClients();

 private:
  struct Piece {
    int64_t due_ms = 0;
    std::string bytes;
  };
  struct Link {
    int sockets[2] = {-1, -1};  // By where bytes go: the server's, the client's. -1: it has ended.
    std::deque<Piece> waiting[2];
    bool ended[2] = {false, false};  // No more bytes come for this way.
    bool told[2] = {false, false};   // And the other side has been told.
  };

  void Run();
  // When the next delayed bytes are due, in milliseconds from now; -1: there are none.
  int Turn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Read(Link& link, Way way) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(Link& link, Way way) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Reset(int& socket);
  void Wake() const;

  const int server_port_;
  const int waker_;  // An eventfd.
  int listener_ = -1;
  int port_ = 0;
  std::atomic<uint64_t> seen_[2] = {0, 0};
  mutable Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool refuses_ ABSL_GUARDED_BY(mutex_) = false;
  bool swallows_[2] ABSL_GUARDED_BY(mutex_) = {false, false};
  bool holds_[2] ABSL_GUARDED_BY(mutex_) = {false, false};
  int delay_ms_[2] ABSL_GUARDED_BY(mutex_) = {0, 0};
  std::list<Link> links_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hubbub::chat
