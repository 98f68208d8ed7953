#include "services/net/http_body.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "boost/asio/buffer.hpp"
#include "boost/beast/http/error.hpp"
#include "fmt/format.h"
#include "services/net/http_list.h"

namespace hubbub::net {
namespace {

namespace http = boost::beast::http;

constexpr size_t kLastChunkBytes = 5;
constexpr uint64_t kMostLength = uint64_t{1} << 60;

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<HttpFault> CheckCodings(const HttpHead& head) {
  if (head.minor_version == 0) return HttpFault{400, "HTTP/1.0 has no Transfer-Encoding."};
  std::vector<std::string_view> names;
  AnyElement(head, "Transfer-Encoding", [&](std::string_view name) {
    names.push_back(name);
    return false;
  });
  const auto chunked = [](std::string_view name) { return SameName(name, "chunked"); };
  if (names.empty() || !chunked(names.back()) || std::count_if(names.begin(), names.end(), chunked) > 1)
    return HttpFault{400, "The last Transfer-Encoding of a request must be chunked, and no other."};
  if (names.size() > 1) return HttpFault{501, "This server knows no Transfer-Encoding but chunked."};
  return std::nullopt;
}

}  // namespace

std::variant<BodyFraming, HttpFault> FramingOf(const HttpHead& head) {
  const auto lengths = ValuesOf(head, "Content-Length");
  if (!ValuesOf(head, "Transfer-Encoding").empty()) {
    if (!lengths.empty()) return HttpFault{400, "The request has both Content-Length and Transfer-Encoding."};
    if (auto fault = CheckCodings(head)) return *std::move(fault);
    return BodyFraming{.chunked = true};
  }
  if (lengths.empty()) return BodyFraming{};
  if (lengths.size() > 1 || !IsNumber(lengths.front()))
    return HttpFault{400, "The Content-Length of the request is not one number."};
  BodyFraming framing;
  for (const char digit : lengths.front())
    framing.length = std::min(kMostLength, framing.length * 10 + static_cast<uint64_t>(digit - '0'));
  return framing;
}

HttpBody::HttpBody(const BodyFraming& framing, size_t max_bytes)
    : max_bytes_(max_bytes), missing_(framing.length), whole_(!framing.has_body()) {
  if (!framing.chunked) return;
  // Beast reads chunks behind a head alone, so it gets one of our making.
  static constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  boost::system::error_code ignored;
  chunks_.emplace();
  chunks_->eager(true);
  chunks_->body_limit(max_bytes);
  chunks_->put(boost::asio::buffer(kHead), ignored);
}

size_t HttpBody::Put(std::string_view bytes) {
  if (whole_ || fault_ || bytes.empty()) return 0;
  if (chunks_) return PutChunks(bytes);
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(missing_, bytes.size()));
  body_.append(bytes.substr(0, taken));
  missing_ -= taken;
  whole_ = missing_ == 0;
  return taken;
}

size_t HttpBody::PutChunks(std::string_view bytes) {
  // Less cannot end the body, and Beast 1.81 asserts that it gets as much for the last chunk, "0", two line
  // ends.
  if (bytes.size() < kLastChunkBytes) return 0;
  boost::system::error_code error;
  const size_t taken = chunks_->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error == http::error::body_limit) {
    fault_ = HttpFault{413, fmt::format("The body of the request has more than {} bytes.", max_bytes_)};
  } else if (error && error != http::error::need_more) {
    fault_ = HttpFault{400, "The chunks of the request's body are not valid (RFC 9112, 7.1)."};
  } else if (chunks_->is_done()) {
    whole_ = true;
    body_ = std::move(chunks_->get().body());
  } else if (bytes.size() - taken > kMaxChunkLineBytes) {
    fault_ = HttpFault{400, "The chunks of the request's body have lines that are too long."};
  }
  return taken;
}

std::string HttpBody::Take() {
  return std::move(body_);
}

}  // namespace hubbub::net
