#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hubbub::net {

// The head of an HTTP/1 request: its request line and its header fields (RFC 9112, 2 to 5). The parser is as
// strict as the RFC allows: it refuses heads that two readers could understand in two ways. Pure,
// thread-compatible. Views point into the bytes that were read.

// Why a request is not served: an HTTP status and a sentence for the request's author.
struct HttpFault {
  int status = 400;
  std::string sentence;
};

struct HttpField {
  std::string_view name;   // As the client wrote it: compare without regard to case.
  std::string_view value;  // Without the white space around it.
};

struct HttpHead {
  std::string_view method;
  std::string_view target;
  int minor_version = 1;  // HTTP/1.`minor_version`
  std::vector<HttpField> fields;
};

// RFC 9112 (3) asks for 8,000 bytes at least. A longer line is answered with 414.
inline constexpr size_t kMaxRequestLineBytes = size_t{16} * 1024;
// The request line is part of the head. A longer head is answered with 431.
inline constexpr size_t kMaxHeadBytes = size_t{32} * 1024;
inline constexpr size_t kMaxFields = 1'000;
// Empty lines before the request line, which old clients send behind a body (RFC 9112, 2.2). More are
// answered with 400.
inline constexpr int kMaxEmptyLines = 4;

// Finds the end of a head in bytes that come in pieces, and looks at each byte once.
class HeadScanner {
 public:
  struct Result {
    size_t size = 0;  // Bytes of the head and the empty lines around it; 0: the head is not whole yet.
    std::optional<HttpFault> fault =
        std::nullopt;  // It will never be whole, or is larger than this server takes.
  };
  // `bytes`: all bytes that have come, including those of earlier calls.
  Result Scan(std::string_view bytes);

 private:
  bool in_head_ = false;  // The request line has begun.
  int empty_lines_ = 0;
  size_t line_ = 0;  // Where the present line begins.
  size_t at_ = 0;    // There is no end of a line between that and this.
};

// Reads a whole head, as HeadScanner found it.
std::variant<HttpHead, HttpFault> ParseHead(std::string_view head);

// True for a method, a field's name and the like (RFC 9110, 5.6.2).
bool IsToken(std::string_view text);

}  // namespace hubbub::net
