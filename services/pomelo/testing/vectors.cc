#include "services/pomelo/testing/vectors.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

json::object Load(const char* path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return json::parse(text).as_object();
}

uint8_t Nibble(char c) {
  return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
}

size_t Below(std::mt19937& random, size_t n) {
  return std::uniform_int_distribution<size_t>(0, n - 1)(random);
}

void AppendUtf8(uint32_t code, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

const json::array& Vectors(std::string_view list) {
  static const json::object all = Load(HUBBUB_POMELO_VECTORS);
  return all.at({list.data(), list.size()}).as_array();
}

const json::array& PitayaSessions() {
  static const json::object all = Load(HUBBUB_PITAYA_VECTORS);
  return all.at("sessions").as_array();
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(Nibble(hex[i]) << 4 | Nibble(hex[i + 1]));
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

std::string_view StringMember(const json::value& vector, std::string_view key) {
  const json::string& text = vector.as_object().at({key.data(), key.size()}).as_string();
  return {text.data(), text.size()};
}

std::string HexMember(const json::value& vector, std::string_view key) {
  return FromHex(StringMember(vector, key));
}

bool SameJson(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_double() || b.is_double() ? a.to_number<double>() == b.to_number<double>() : a == b;
  }
  if (a.is_object() && b.is_object()) {
    const json::object& x = a.get_object();
    const json::object& y = b.get_object();
    return x.size() == y.size() && std::all_of(x.begin(), x.end(), [&](const json::key_value_pair& member) {
             const json::value* other = y.if_contains(member.key());
             return other != nullptr && SameJson(member.value(), *other);
           });
  }
  if (a.is_array() && b.is_array()) {
    const json::array& x = a.get_array();
    const json::array& y = b.get_array();
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), SameJson);
  }
  return a == b;
}

std::string RandomText(std::mt19937& random, size_t max_chars) {
  std::string text;
  for (size_t left = Below(random, max_chars + 1); left > 0; --left) {
    switch (Below(random, 8)) {
      case 0:
        text += static_cast<char>(Below(random, 0x20));
        break;
      case 1:
        text += "\"\\/\x7f"[Below(random, 4)];
        break;
      case 2:
        AppendUtf8(static_cast<uint32_t>(0x80 + Below(random, 0x780)), text);
        break;
      case 3:
        AppendUtf8(static_cast<uint32_t>(0x800 + Below(random, 0xd000)), text);
        break;
      case 4:
        AppendUtf8(static_cast<uint32_t>(0xe000 + Below(random, 0x2000)), text);
        break;
      case 5:
        AppendUtf8(static_cast<uint32_t>(0x10000 + Below(random, 0x100000)), text);
        break;
      default:
        text.append(1 + Below(random, 12), static_cast<char>('a' + Below(random, 26)));
    }
  }
  return text;
}

std::string RandomBytes(std::mt19937& random, size_t max_size) {
  std::string bytes(Below(random, max_size + 1), '\0');
  for (char& c : bytes) c = static_cast<char>(Below(random, 256));
  return bytes;
}

}  // namespace hubbub::pomelo
