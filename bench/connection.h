#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "bench/frames.h"
#include "bench/options.h"

namespace hubbub::bench {

// A WebSocket to a server, driven by epoll. Opened again after Close, it is another one. Thread-compatible;
// owned by its client, whom it calls back.
class Connection {
 public:
  class Handler {
   public:
    // The WebSocket is there.
    virtual void OnOpen() = 0;
    // Bytes have just been read; packages follow. For taking the time once for all of them.
    virtual void OnRead() = 0;
    // With Payload::kText the body is a frame's text. False: no further package is wanted from this
    // connection.
    virtual bool OnPackage(const pomelo::Package& package) = 0;

   protected:
    ~Handler() = default;
  };

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { Close(); }

  // What is asked for when the WebSocket is opened.
  struct Opening {
    std::string_view target = "/";
    Payload payload = Payload::kPackages;
  };

  // Starts to connect. Its events at `epoll` carry `tag`. `source_ip`, of the loopback too, spreads many
  // connections over addresses, so that ports do not run out.
  absl::Status Open(int epoll, uint64_t tag, const Endpoint& server, uint32_t source_ip,
                    const Opening& opening);
  // Epoll has these events for it. `scratch` is room to read into, shared by all connections. An error ends
  // it.
  absl::Status OnReady(uint32_t events, std::span<char> scratch, Handler& handler);
  // Queues a frame with these packages, or this text; Flush sends what is queued.
  void Queue(std::string_view payload) { AppendFrame(payload_, payload, out_); }
  absl::Status Flush();
  void Close();
  bool closed() const { return fd_ < 0; }

 private:
  absl::Status Read(std::span<char> scratch, Handler& handler);
  absl::Status TakePackages(std::string_view& bytes, Handler& handler);
  void Watch(bool writable);

  int epoll_ = -1;
  int fd_ = -1;
  uint64_t tag_ = 0;
  Endpoint server_;
  bool connected_ = false;
  bool upgraded_ = false;
  bool watching_writable_ = false;
  bool unwanted_ = false;  // The handler wants no more.
  Payload payload_ = Payload::kPackages;
  FrameReader reader_{Payload::kPackages};
  std::string rest_;  // Read, but not whole yet.
  std::string out_;
  size_t out_sent_ = 0;
};

}  // namespace hubbub::bench
