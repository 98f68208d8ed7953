#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/string_body.hpp"
#include "services/net/http_head.h"

namespace hubbub::net {

// How the end of a request's body is found (RFC 9112, 6). Not chunked and of length 0: there is no body.
struct BodyFraming {
  bool chunked = false;
  uint64_t length = 0;  // Bytes, if it is not chunked. Lengths beyond 2^60 are 2^60.

  bool has_body() const { return chunked || length > 0; }
};

// Reads the framing from Content-Length and Transfer-Encoding. Fields that two readers could understand in
// two ways are a fault: otherwise a proxy and this server could disagree on where the next request begins
// (request smuggling: RFC 9112, 11.2). Pure, thread-safe.
std::variant<BodyFraming, HttpFault> FramingOf(const HttpHead& head);

// Collects the body of one request from bytes that come in pieces. Thread-compatible; does not move.
class HttpBody {
 public:
  // In a chunked body: the longest line that gives a chunk's size and extensions, and the most bytes of
  // trailer fields. The body does not keep extensions or trailers.
  static constexpr size_t kMaxChunkLineBytes = size_t{4} * 1024;

  // `framing.length` must be at most `max_bytes`. A chunked body that grows longer is a fault.
  HttpBody(const BodyFraming& framing, size_t max_bytes);

  // Takes from the front of `bytes` and returns how many bytes it took. The rest must be offered again, with
  // more behind it; once the body is whole, the rest is not part of it.
  size_t Put(std::string_view bytes);

  bool whole() const { return whole_; }
  // Set once the body cannot be read: no further bytes of this client mean anything.
  const std::optional<HttpFault>& fault() const { return fault_; }

  // The body, once it is whole.
  std::string Take();

 private:
  using ChunkParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  size_t PutChunks(std::string_view bytes);

  const size_t max_bytes_;
  uint64_t missing_;  // Of a body with a length.
  std::string body_;
  std::optional<ChunkParser> chunks_;  // For a chunked body.
  bool whole_ = false;
  std::optional<HttpFault> fault_;
};

}  // namespace hubbub::net
