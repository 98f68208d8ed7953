#include "services/socketio/recovery.h"

#include <algorithm>
#include <charconv>

#include "fmt/format.h"
#include "services/base/entropy.h"

namespace hubbub::socketio {
namespace {

constexpr size_t kIdDigits = 16;
constexpr size_t kTokenDigits = 32;
// Numbers stay below 2^53, and a name of 64 bytes stands behind them.
constexpr size_t kMostNumberDigits = 16;
constexpr size_t kMostOffsetBytes = kMostPositions * (2 * (kMostNumberDigits + 1) + 64 + 1);

std::string NewId() {
  return fmt::format("{:016x}", Entropy()());
}

// A number and the space behind it, taken from the front.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  const size_t digits = std::min(text.find(' '), text.size());
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + digits, number);
  if (digits == 0 || digits > kMostNumberDigits || digits == text.size() || read.ptr != text.data() + digits)
    return std::nullopt;
  text.remove_prefix(digits + 1);
  return number;
}

std::optional<RoomPosition> DecodePosition(std::string_view line) {
  const auto epoch = TakeNumber(line);
  if (!epoch) return std::nullopt;
  const auto offset = TakeNumber(line);
  if (!offset || line.empty()) return std::nullopt;
  return RoomPosition{.room = std::string(line), .epoch = *epoch, .offset = *offset};
}

}  // namespace

std::string NewPid() {
  return NewPid(fmt::format("{:016x}{:016x}", Entropy()(), Entropy()()));
}

std::string NewPid(std::string_view token) {
  return NewId().append(token);
}

std::optional<PidParts> PartsOf(std::string_view pid) {
  if (pid.size() != kIdDigits + kTokenDigits ||
      pid.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  return PidParts{.id = pid.substr(0, kIdDigits), .token = pid.substr(kIdDigits)};
}

void AppendPosition(std::string_view room, uint64_t epoch, uint64_t offset, std::string& out) {
  const fmt::format_int epoch_digits(epoch);
  const fmt::format_int offset_digits(offset);
  out.append(epoch_digits.data(), epoch_digits.size()) += ' ';
  out.append(offset_digits.data(), offset_digits.size()) += ' ';
  out += room;
}

std::optional<std::vector<RoomPosition>> DecodePositions(std::string_view offset) {
  if (offset.size() > kMostOffsetBytes) return std::nullopt;
  std::vector<RoomPosition> positions;
  while (true) {
    const size_t end = std::min(offset.find('\n'), offset.size());
    auto position = DecodePosition(offset.substr(0, end));
    const auto same_room = [&](const RoomPosition& other) { return other.room == position->room; };
    if (!position || positions.size() == kMostPositions ||
        std::any_of(positions.begin(), positions.end(), same_room))
      return std::nullopt;
    positions.push_back(*std::move(position));
    if (end == offset.size()) return positions;
    offset.remove_prefix(end + 1);
  }
}

}  // namespace hubbub::socketio
