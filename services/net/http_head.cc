#include "services/net/http_head.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/net/http_list.h"

namespace hubbub::net {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsTokenCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// What a field's value may hold: text, tabs and what is not ASCII (RFC 9110, 5.5).
bool IsValueCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool IsTargetCharacter(char c) {
  return c > 0x20 && c < 0x7f;
}

HttpFault Bad(std::string sentence) {
  return {400, std::move(sentence)};
}

std::optional<HttpFault> ParseVersion(std::string_view text, int& minor_version) {
  constexpr std::string_view kName = "HTTP/";
  if (!text.starts_with(kName) || text.size() == kName.size() || !IsDigit(text[kName.size()]))
    return Bad("The request line does not end in a version, such as HTTP/1.1.");
  const std::string_view number = text.substr(kName.size());
  const bool major_is_one = number == "1" || number.starts_with("1.");
  if (!major_is_one) return HttpFault{505, "This server speaks HTTP/1.1 and HTTP/1.0."};
  if (number.size() != 3 || !IsDigit(number[2])) return Bad("The version in the request line is not valid.");
  minor_version = number[2] - '0';
  return std::nullopt;
}

std::optional<HttpFault> ParseRequestLine(std::string_view line, HttpHead& head) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos)
    return Bad("The request line is not a method, a target and a version with one space between them.");
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, second - first - 1);
  if (!IsToken(head.method)) return Bad("The method in the request line is not valid.");
  // Before the target: another version may have other rules for it.
  if (auto fault = ParseVersion(line.substr(second + 1), head.minor_version)) return fault;
  if (head.target.empty() || !std::all_of(head.target.begin(), head.target.end(), IsTargetCharacter))
    return Bad("The target in the request line has characters that must be written as %XX.");
  return std::nullopt;
}

std::optional<HttpFault> ParseField(std::string_view line, HttpHead& head) {
  if (line.front() == ' ' || line.front() == '\t')
    return Bad("A header line begins with white space: folded lines are not taken (RFC 9112, 5.2).");
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Bad("A header line has no colon.");
  const std::string_view name = line.substr(0, colon);
  if (!IsToken(name))
    return Bad("The name in a header line is not valid: no white space may stand before the colon.");
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), IsValueCharacter))
    return Bad("The value of a header line has control characters.");
  if (head.fields.size() == kMaxFields)
    return HttpFault{431, fmt::format("The request has more than {} header lines.", kMaxFields)};
  head.fields.push_back({name, value});
  return std::nullopt;
}

// Cuts the next line off; nothing if it does not end in CRLF.
std::optional<std::string_view> NextLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r') return std::nullopt;
  const std::string_view line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line;
}

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

HeadScanner::Result HeadScanner::Scan(std::string_view bytes) {
  while (true) {
    const size_t end = bytes.find('\n', at_);
    const size_t upto = end == std::string_view::npos ? bytes.size() : end;
    if (!in_head_ && upto - line_ > kMaxRequestLineBytes) {
      return {.fault = HttpFault{
                  414, fmt::format("The request line is longer than {} bytes.", kMaxRequestLineBytes)}};
    }
    if (upto >= kMaxHeadBytes) {
      return {.fault = HttpFault{
                  431, fmt::format("The header lines have more than {} bytes together.", kMaxHeadBytes)}};
    }
    at_ = upto;
    if (end == std::string_view::npos) return {};
    std::string_view line = bytes.substr(line_, end - line_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at_ = line_ = end + 1;
    if (!line.empty()) {
      in_head_ = true;
    } else if (in_head_) {
      return {.size = end + 1};
    } else if (++empty_lines_ > kMaxEmptyLines) {
      return {.fault = Bad("There are too many empty lines before the request.")};
    }
  }
}

std::variant<HttpHead, HttpFault> ParseHead(std::string_view head) {
  while (head.starts_with("\r\n")) head.remove_prefix(2);
  HttpHead parsed;
  for (bool first = true;; first = false) {
    const auto line = NextLine(head);
    if (!line) return Bad("A line of the request does not end in CRLF.");
    if (line->empty() && !first) return parsed;
    auto fault = first ? ParseRequestLine(*line, parsed) : ParseField(*line, parsed);
    if (fault) return *std::move(fault);
  }
}

}  // namespace hubbub::net
