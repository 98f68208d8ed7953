#include "services/pomelo/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::pomelo {
namespace {

constexpr size_t kMaxZlibBytes = std::numeric_limits<uInt>::max();
// One byte of deflate yields 1,032 bytes at most (https://zlib.net/zlib_tech.html).
constexpr size_t kMaxRatio = 1032;
// The largest window, with the header of either format.
constexpr int kZlibOrGzip = MAX_WBITS + 32;

// zlib does not write to its input; its header lacks the const.
Bytef* Input(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

Bytef* Output(std::string& out) {
  return reinterpret_cast<Bytef*>(out.data());
}

// What inflating said once the input or the room was used up.
absl::Status Verdict(int code, const z_stream& stream, size_t max_bytes) {
  switch (code) {
    case Z_STREAM_END:
      if (stream.avail_in == 0) return absl::OkStatus();
      return absl::InvalidArgumentError(
          fmt::format("a compressed body has {} bytes behind its end", stream.avail_in));
    case Z_NEED_DICT:
      return absl::InvalidArgumentError("a compressed body needs a dictionary, which nobody has agreed on");
    case Z_OK:
    case Z_BUF_ERROR:
      if (stream.avail_out == 0) {
        return absl::OutOfRangeError(
            fmt::format("a compressed body holds more than the {} bytes that are allowed", max_bytes));
      }
      return absl::InvalidArgumentError("a compressed body ends too early");
    case Z_MEM_ERROR:
      return absl::ResourceExhaustedError("there is no memory to inflate a compressed body");
    default:
      return absl::InvalidArgumentError(
          fmt::format("a compressed body is neither zlib nor gzip, or damaged: {}",
                      stream.msg == nullptr ? zError(code) : stream.msg));
  }
}

}  // namespace

std::optional<std::string> DeflateIfSmaller(std::string_view bytes) {
  if (bytes.size() < kMinDeflateBytes || bytes.size() > kMaxZlibBytes) return std::nullopt;
  z_stream stream = {};
  if (deflateInit(&stream, Z_DEFAULT_COMPRESSION) != Z_OK) return std::nullopt;  // No memory.
  std::string out(bytes.size() - 1, '\0');
  stream.next_in = Input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = Output(out);
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return std::nullopt;  // There is no room left.
  return out;
}

absl::StatusOr<std::string> Inflate(std::string_view bytes, size_t max_bytes, size_t* made) {
  if (bytes.size() > kMaxZlibBytes) {
    return absl::InvalidArgumentError(
        fmt::format("a compressed body has {} bytes: zlib takes {}", bytes.size(), kMaxZlibBytes));
  }
  // All that `bytes` can hold. With it, one call does the whole work, and zlib keeps no window.
  std::string out(std::min({max_bytes, (bytes.size() + 1) * kMaxRatio, kMaxZlibBytes}), '\0');
  z_stream stream = {};
  if (inflateInit2(&stream, kZlibOrGzip) != Z_OK) return Verdict(Z_MEM_ERROR, stream, max_bytes);
  stream.next_in = Input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = Output(out);
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  const absl::Status verdict = Verdict(code, stream, max_bytes);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  if (made != nullptr) *made = out.size();
  if (!verdict.ok()) return verdict;
  return out;
}

}  // namespace hubbub::pomelo
