#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_session;

namespace hubbub::http2 {

// The server's end of an HTTP/2 connection, without a socket, for tests: it does what the test says, also
// what a gRPC server should not. Not thread-safe.
class TestHttp2Server {
 public:
  struct Call {
    std::map<std::string, std::string> fields;  // Of the request.
    std::string body;                           // As it came, with gRPC's prefixes.
    bool ended = false;                         // The client writes no more.
    bool closed = false;
    uint32_t error = 0;  // Once it is closed.
  };

  TestHttp2Server();

  // What the client has sent. False if it is not HTTP/2.
  bool Receive(std::string_view bytes);
  // What the client is to be sent.
  std::string TakeOutput();

  // The server's first word.
  void SayHello();
  // Begins the answer to a call.
  void Answer(int32_t call);
  // Sends bytes of its body.
  void Send(int32_t call, std::string_view bytes);
  // Ends it with trailers. Without Answer before: with headers alone.
  void End(int32_t call, const std::vector<std::pair<std::string, std::string>>& trailers);
  void Reset(int32_t call, uint32_t error);
  void GoAway(int32_t last_call);

  // By HTTP/2's ids: 1, 3, 5 …
  const std::map<int32_t, Call>& calls() const { return calls_; }
  int pings() const { return pings_; }

 private:
  class Callbacks;
  struct Body {
    std::string bytes;
    size_t sent = 0;
    std::vector<std::pair<std::string, std::string>> trailers;
    bool ended = false;
  };

  std::map<int32_t, Call> calls_;
  std::map<int32_t, Body> bodies_;
  int pings_ = 0;
  const std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)> session_;
};

}  // namespace hubbub::http2
