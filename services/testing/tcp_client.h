#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hubbub::testing {

// A client's blocking TCP socket to 127.0.0.1, for tests. Whatever does not happen within 20 seconds is an
// error; errors are std::runtime_error. Thread-compatible.
class TcpClient {
 public:
  // `receive_buffer` in bytes, before connecting: a small one makes a slow client out of one that does not
  // read. 0: as the system wants it.
  explicit TcpClient(uint16_t port, int receive_buffer = 0);
  ~TcpClient();
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  void Send(std::string_view bytes);
  // As much as goes without waiting; how much that was. 0 if the server has closed.
  size_t SendSome(std::string_view bytes);
  // Exactly so many bytes; fewer if the server closes.
  std::string Read(size_t size);
  // What comes, up to and including `end`; what there is if the server closes.
  std::string ReadUntil(std::string_view end);
  // All that comes until the server closes, in whatever way.
  std::string ReadToEnd();
  // No more is sent; what comes is still read.
  void EndSending();
  void Close();
  // Closes with a reset, as the system does for a process that ends with bytes unread.
  void Reset();

 private:
  // Waits for the event; throws at the deadline.
  void Wait(short event);

  int socket_ = -1;
};

}  // namespace hubbub::testing
